{{ config(materialized='table') }}

with

usage as (

    select * from {{ ref('int_usage') }}

)

-- Only what adds up: distinct users and features of a window are counted where they are
-- asked for, and counting them for every day of all history sorts it all on disk.
select
    customer_id,
    event_date,
    sum(event_count)::bigint as event_count

from usage

where customer_id is not null and event_date <= {{ as_of() }}

group by customer_id, event_date
