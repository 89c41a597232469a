with

by_dimension as (

    select * from {{ ref('int_retention_by_dimension') }}

)

select
    starts_date as month,
    dimension_value as segment,
    *  -- noqa: AM04

from by_dimension

where period = 'month' and dimension in ('all', 'segment')
