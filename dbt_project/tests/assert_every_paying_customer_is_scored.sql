-- Scored or said to be unknown: nobody who pays today is left out, and nobody else is
-- in.
with

paying as (

    select distinct customer_id from {{ ref('fct_mrr_daily') }}

    where as_of_date = {{ as_of() }}

),

scored as (

    select customer_id from {{ ref('fct_customer_health_daily') }}

    where as_of_date = {{ as_of() }}

)

select coalesce(paying.customer_id, scored.customer_id) as customer_id

from paying
full outer join scored on paying.customer_id = scored.customer_id

where paying.customer_id is null or scored.customer_id is null
