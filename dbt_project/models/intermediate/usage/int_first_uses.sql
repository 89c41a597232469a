{{ config(materialized='table') }}

with

usage as (

    select * from {{ ref('int_usage') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue') }}

)

-- Use during a trial does not count, so the first use is counted from signing.
select
    usage.customer_id,
    usage.user_key,
    usage.feature,
    min(usage.event_date) as first_date

from usage
inner join revenue
    on
        usage.customer_id = revenue.customer_id
        and usage.event_date >= revenue.first_paid_date

where usage.event_date <= {{ as_of() }}

group by usage.customer_id, usage.user_key, usage.feature
