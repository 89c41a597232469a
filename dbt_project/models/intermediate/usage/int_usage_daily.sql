{{ config(materialized='table') }}

with

usage as (

    select * from {{ ref('int_usage') }}

)

select
    customer_id,
    event_date,
    sum(event_count)::bigint as event_count,
    count(distinct user_key) as user_count,
    count(distinct feature) as feature_count

from usage

where customer_id is not null and event_date <= {{ as_of() }}

group by customer_id, event_date
