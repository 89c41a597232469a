with

claims as (

    select * from {{ ref('int_churn_claims') }}

    where customer_id is not null

),

customers as (

    select * from {{ ref('int_customers') }}

),

spans as (

    select * from {{ ref('int_subscription_spans') }}

),

per_customer as (

    select
        customers.customer_id,
        customers.account_source as source,
        customers.claimed_churned,
        customers.customer_id in (select claims.customer_id from claims) as has_event,
        customers.customer_id in (
            select spans.customer_id from spans
            where
                spans.starts_date <= {{ as_of() }}
                and (spans.ends_date is null or spans.ends_date > {{ as_of() }})
        ) as has_open_subscription

    from customers

    where customers.claimed_churned is not null and exists (select 1 from claims)

),

first_days as (

    select
        customer_id,
        min(starts_date) as first_date

    from spans

    group by customer_id

),

findings as (

    select
        source,
        customer_id as record_key,
        null as related_key,
        case
            when claimed_churned and not has_event then 'claimed_churned_without_event'
            when has_event and not claimed_churned then 'churn_event_without_claim'
        end as kind

    from per_customer

    union all

    select
        source,
        customer_id as record_key,
        null as related_key,
        'claimed_churned_but_open' as kind

    from per_customer

    where claimed_churned and has_open_subscription

    union all

    select
        claims.source,
        claims.churn_event_id as record_key,
        claims.customer_id as related_key,
        'churn_before_first_subscription' as kind

    from claims
    inner join first_days on claims.customer_id = first_days.customer_id

    where claims.churned_date < first_days.first_date

)

select
    kind,
    source,
    record_key,
    related_key,
    1::bigint as record_count

from findings

where kind is not null
