with

usage as (

    select * from {{ ref('int_usage') }}

),

spans as (

    select * from {{ ref('int_subscription_spans') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

used as (

    select distinct
        source,
        subscription_key

    from usage

    where subscription_key is not null

)

-- Usage carries no time of day, so the last day of a subscription is included.
select
    'usage_outside_subscription' as kind,
    usage.source,
    usage.subscription_key as record_key,
    usage.customer_id as related_key,
    sum(usage.event_count)::bigint as record_count

from usage
inner join spans
    on usage.source = spans.source and usage.subscription_key = spans.subscription_key

where usage.event_date < spans.starts_date or usage.event_date > spans.ends_date

group by usage.source, usage.subscription_key, usage.customer_id

union all

-- Only sources that name subscriptions in usage can contain this contradiction.
select
    'subscription_without_usage' as kind,
    spans.source,
    spans.subscription_key as record_key,
    spans.customer_id as related_key,
    1::bigint as record_count

from spans
left join used
    on spans.source = used.source and spans.subscription_key = used.subscription_key

where
    used.subscription_key is null
    and spans.source in (select others.source from used as others)

union all

select
    'usage_before_signup' as kind,
    usage.source,
    usage.customer_id as record_key,
    null as related_key,
    sum(usage.event_count)::bigint as record_count

from usage
inner join customers on usage.customer_id = customers.customer_id

where usage.event_date < customers.signed_up_date

group by usage.source, usage.customer_id

union all

select
    'usage_of_unknown_account' as kind,
    source,
    account_key as record_key,
    null as related_key,
    sum(event_count)::bigint as record_count

from usage

where customer_id is null

group by source, account_key
