with

accounts as (

    select * from {{ ref('fct_account_rhythm') }}

    where rhythm is not null

)

-- Rows without an account in them are not made: nobody churned out of nothing.
select
    quarter,
    rhythm,
    count(*) as customers,
    sum(arr_amount)::numeric(18, 4) as arr_amount,
    count(is_gone_a_quarter_later) as observed_customers,
    count(*) filter (where is_gone_a_quarter_later) as churned_customers,
    (
        count(*) filter (where is_gone_a_quarter_later)::numeric
        / nullif(count(is_gone_a_quarter_later), 0)
    )::numeric(9, 6) as churn_rate,
    array_agg(customer_id order by customer_id) as customer_ids

from accounts

group by quarter, rhythm
