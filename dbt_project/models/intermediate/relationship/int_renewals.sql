with

terms as (

    select * from {{ ref('int_subscription_terms') }}

    where
        not is_trial
        and billing_period_months >= {{ policy('contract_min_months', 'int') }}
        and starts_date <= {{ as_of() }}
        and ends_date > {{ as_of() }}

),

deals as (

    select * from {{ ref('int_deals') }}

    where
        deal_kind = 'renewal'
        and not is_closed
        and created_date <= {{ as_of() }}
        and closes_date > {{ as_of() }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

-- The date of a renewal deal was agreed on, so it takes precedence over the end of the
-- paid term.
candidates as (

    select
        customer_id,
        closes_date as renewal_date,
        'deal' as renewal_basis,
        1 as preference

    from deals

    union all

    select
        customer_id,
        ends_date as renewal_date,
        'term' as renewal_basis,
        2 as preference

    from terms

)

select distinct on (candidates.customer_id)
    candidates.customer_id,
    candidates.renewal_date,
    candidates.renewal_date
    - coalesce(customers.notice_days, {{ policy('notice_days', 'int') }})
        as notice_date,
    candidates.renewal_basis

from candidates
inner join customers on candidates.customer_id = customers.customer_id

order by candidates.customer_id, candidates.preference, candidates.renewal_date
