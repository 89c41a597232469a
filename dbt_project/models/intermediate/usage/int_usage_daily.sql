{{ config(materialized='table') }}

with

usage as (

    select * from {{ ref('int_usage') }}

)

-- Additive measures only: counting distinct users for every day of the history would
-- sort it on disk. Readers count distinct users and features for the windows they need.
select
    customer_id,
    event_date,
    sum(event_count)::bigint as event_count

from usage

where customer_id is not null and event_date <= {{ as_of() }}

group by customer_id, event_date
