-- Every customer paying on the day must have a score or the band unknown, and no other
-- customer may have one.
with

paying as (

    select distinct customer_id from {{ ref('fct_mrr_spans') }}

    where valid_to is null

),

scored as (

    select customer_id from {{ ref('fct_customer_health_daily') }}

    where as_of_date = {{ as_of() }}

)

select coalesce(paying.customer_id, scored.customer_id) as customer_id

from paying
full outer join scored on paying.customer_id = scored.customer_id

where paying.customer_id is null or scored.customer_id is null
