with

usage as (

    select * from {{ ref('int_usage') }}

    where
        customer_id is not null
        and event_date < date_trunc('month', {{ as_of() }} + 1)

),

customers as (

    select * from {{ ref('int_customers') }}

),

-- Grouped by user first: counting distinct users over the whole history sorts it on
-- disk.
by_user as (

    select
        customer_id,
        feature,
        user_key,
        date_trunc('month', event_date)::date as month,
        sum(event_count) as event_count,
        sum(units) as unit_count

    from usage

    group by customer_id, feature, user_key, date_trunc('month', event_date)

),

-- A user belongs to one customer, so users add up over customers.
by_customer as (

    select
        customer_id,
        feature,
        month,
        sum(event_count) as event_count,
        sum(unit_count) as unit_count,
        count(user_key) as user_count

    from by_user

    group by customer_id, feature, month

)

select
    by_customer.month,
    coalesce(customers.segment, 'all') as segment,
    by_customer.feature,
    sum(by_customer.event_count)::bigint as event_count,
    sum(by_customer.unit_count)::numeric(24, 4) as unit_count,
    count(*) as customer_count,
    nullif(sum(by_customer.user_count), 0)::bigint as user_count

from by_customer
inner join customers on by_customer.customer_id = customers.customer_id

group by grouping sets (
    (by_customer.month, by_customer.feature),
    (by_customer.month, by_customer.feature, customers.segment)
)
