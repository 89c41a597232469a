with

customer_days as (

    select * from {{ ref('int_customer_days_to_score') }}

),

-- Count periods from the first one of the same length, so that neither a change in
-- mid-period nor an end unknown on the day moves the end of the term.
terms as (

    select
        customer_id,
        billing_period_months as months,
        contract_ends_date,
        starts_date,
        ends_date,
        min(starts_date) over (
            partition by source, subscription_key, billing_period_months
        ) as first_date

    from {{ ref('int_subscription_terms') }}

    where
        not is_trial
        and billing_period_months > 0
        and starts_date <= {{ as_of() }}

),

reach as (

    select max(issued_date) as last_date from {{ ref('int_invoices') }}

),

in_force as (

    select
        customer_days.customer_id,
        customer_days.as_of_date,
        terms.first_date,
        terms.months,
        max(terms.contract_ends_date) as contract_ends_date,
        age(customer_days.as_of_date, terms.first_date) as age

    from customer_days
    inner join terms
        on
            customer_days.customer_id = terms.customer_id
            and customer_days.as_of_date >= terms.starts_date
            and customer_days.as_of_date < terms.ends_date

    group by
        customer_days.customer_id,
        customer_days.as_of_date,
        terms.first_date,
        terms.months

),

begun as (

    select
        *,
        div(extract(year from age) * 12 + extract(month from age), months)::int + 1
            as periods

    from in_force

)

-- With several subscriptions, the last one to end sets the end of the term.
select
    begun.customer_id,
    begun.as_of_date,
    max(
        greatest(
            begun.first_date + make_interval(months => begun.months * begun.periods),
            begun.contract_ends_date
        )::date
    )
    - begun.as_of_date as days_to_term_end,
    max(least(begun.as_of_date, reach.last_date)) as terms_observed_date

from begun
cross join reach

group by begun.customer_id, begun.as_of_date
