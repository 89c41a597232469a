with

customer_periods as (

    select * from {{ ref('int_retention_by_customer_period') }}

)

select
    starts_date as month,
    customer_periods.*

from customer_periods

where period = 'month'
