with

terms as (

    select
        customer_id,
        coalesce(
            lower(substring(product from {{ policy('plan_pattern', 'text') }})),
            product
        ) as plan,
        product ~* {{ policy('plan_pattern', 'text') }} as is_named_plan,
        mrr_amount,
        starts_date,
        ends_date

    from {{ ref('int_subscription_terms') }}

    where
        not is_trial
        and not is_add_on
        and product is not null
        and starts_date <= {{ as_of() }}
        and (ends_date is null or ends_date > starts_date)

),

starts as (

    select distinct
        customer_id,
        starts_date

    from terms

    union

    select distinct
        customer_id,
        ends_date as starts_date

    from terms

    where ends_date <= {{ as_of() }}

),

-- Of several products, prefer one with a plan name, then the most expensive. Without a
-- term in force the last plan continues: a churn counts under it.
chosen as (

    select distinct on (starts.customer_id, starts.starts_date)
        starts.customer_id,
        starts.starts_date,
        terms.plan

    from starts
    inner join terms
        on
            starts.customer_id = terms.customer_id
            and starts.starts_date >= terms.starts_date
            and (terms.ends_date is null or starts.starts_date < terms.ends_date)

    order by
        starts.customer_id asc,
        starts.starts_date asc,
        terms.is_named_plan desc,
        terms.mrr_amount desc,
        terms.plan asc

),

changes as (

    select
        *,
        lag(plan) over customer_in_order as plan_before

    from chosen

    window customer_in_order as (partition by customer_id order by starts_date)

)

select
    customer_id,
    plan,
    starts_date,
    lead(starts_date) over (partition by customer_id order by starts_date) as ends_date

from changes

where plan_before is distinct from plan
