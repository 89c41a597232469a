-- A customer has one value per dimension, so the rows of a dimension must add up to
-- all.
with

retention as (

    select * from {{ ref('fct_retention') }}

),

by_dimension as (

    select
        period,
        starts_date,
        dimension,
        sum(opening_customers) as opening_customers,
        sum(closing_customers) as closing_customers,
        sum(closing_amount) as closing_amount

    from retention

    group by period, starts_date, dimension

),

everything as (

    select * from by_dimension

    where dimension = 'all'

)

select by_dimension.*

from by_dimension
left join everything
    on
        by_dimension.period = everything.period
        and by_dimension.starts_date = everything.starts_date

where
    by_dimension.opening_customers is distinct from everything.opening_customers
    or by_dimension.closing_customers is distinct from everything.closing_customers
    or by_dimension.closing_amount is distinct from everything.closing_amount
