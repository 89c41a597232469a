with

customer_days as (

    select * from {{ ref('int_customer_days_to_score') }}

)

-- FILL IN: join the records and compute the metric. Null: not known; zero: zero was measured.
-- The observed date is the day of the newest record that the value rests on.
select
    customer_days.customer_id,
    customer_days.as_of_date,
    customer_days.tenure_days as $name,
    customer_days.as_of_date as ${name}_observed_date

from customer_days
