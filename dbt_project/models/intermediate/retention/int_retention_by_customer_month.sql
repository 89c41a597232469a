with

customer_periods as (

    select * from {{ ref('int_retention_by_customer_period') }}

)

select
    starts_date as month,
    *  -- noqa: AM04

from customer_periods

where period = 'month'
