with

customer_years as (

    select * from {{ ref('int_retention_by_customer_year') }}

)

select
    month,
    coalesce(segment, 'all') as segment,
    count(*) as trailing_year_opening_customers,
    (count(*) filter (where is_kept)::numeric / count(*))::numeric(9, 6)
        as trailing_year_retention_rate,
    (sum(least(now_amount, then_amount)) / nullif(sum(then_amount), 0))::numeric(9, 6)
        as trailing_year_grr,
    (sum(now_amount) / nullif(sum(then_amount), 0))::numeric(9, 6) as trailing_year_nrr

from customer_years

group by grouping sets ((month), (month, segment))
