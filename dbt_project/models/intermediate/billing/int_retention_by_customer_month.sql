with

customer_periods as (

    select * from {{ ref('int_retention_by_customer_period') }}

)

select  -- noqa: AM04
    starts_date as month,
    *

from customer_periods

where period = 'month'
