with

customers_measured as (

    select * from {{ ref('int_customer_cadence_by_quarter') }}

    where cadence is not null

)

-- A cadence without customers has no row.
select
    quarter,
    cadence,
    count(*) as customers,
    sum(arr_amount)::numeric(18, 4) as arr_amount,
    count(is_churned_a_quarter_later) as observed_customers,
    count(*) filter (where is_churned_a_quarter_later) as churned_customers,
    (
        count(*) filter (where is_churned_a_quarter_later)::numeric
        / nullif(count(is_churned_a_quarter_later), 0)
    )::numeric(9, 6) as churn_rate,
    array_agg(customer_id order by customer_id) as customer_ids

from customers_measured

group by quarter, cadence
