{{ config(materialized='table') }}

with

terms as (

    select * from {{ ref('int_subscription_terms') }}

    where
        not is_trial
        and starts_date <= {{ as_of() }}
        and billing_period_months >= {{ policy('contract_min_months', 'int') }}

),

cancellations as (

    select * from {{ ref('int_cancellations') }}

    where requested_date <= {{ as_of() }}

),

-- A contract renews one whole period after its start. A term cut short by a change of
-- seats or an early cancellation is not a renewal.
periods as (

    select
        customer_id,
        source,
        subscription_key,
        term_key,
        auto_renews,
        contract_ends_date,
        starts_date,
        ends_date,
        (starts_date + make_interval(months => billing_period_months))::date
            as period_ends_date

    from terms

),

ends as (

    select distinct
        ended.customer_id,
        ended.source,
        ended.subscription_key,
        ended.term_key,
        ended.auto_renews,
        ended.contract_ends_date,
        whole.starts_date,
        ended.ends_date

    from periods as ended
    inner join periods as whole
        on
            ended.source = whole.source
            and ended.subscription_key = whole.subscription_key
            and ended.customer_id = whole.customer_id
            and ended.ends_date = whole.period_ends_date

),

-- A multi-year contract renews when it ends, not with each bill.
framed as (

    select
        ends.customer_id,
        min(ends.starts_date) as starts_date,
        greatest(ends.ends_date, ends.contract_ends_date) as renewal_date,
        bool_or(
            coalesce(ends.auto_renews, false)
            and cancellations.subscription_key is null
        ) as auto_renews,
        bool_and(cancellations.subscription_key is not null) as is_cancelling

    from ends
    left join cancellations
        on
            ends.customer_id = cancellations.customer_id
            and ends.subscription_key = cancellations.subscription_key
            and ends.ends_date = cancellations.effective_date

    group by
        ends.customer_id, greatest(ends.ends_date, ends.contract_ends_date)

)

select
    framed.*,
    framed.renewal_date
    - coalesce(customers.notice_days, {{ policy('notice_days', 'int') }})
        as notice_date,
    framed.renewal_date - framed.starts_date > 366 as is_multi_year

from framed
inner join {{ ref('int_customers') }} as customers
    on framed.customer_id = customers.customer_id
