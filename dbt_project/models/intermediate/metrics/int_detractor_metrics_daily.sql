with

customer_days as (

    select * from {{ ref('int_customer_days_to_score') }}

),

recoveries as (

    select * from {{ ref('int_detractor_recoveries') }}

)

select
    customer_days.customer_id,
    customer_days.as_of_date,
    count(*) filter (
        where
        recoveries.first_action_at is null
        or recoveries.first_action_at::date > customer_days.as_of_date
    ) as unanswered_detractors,
    max(recoveries.answered_at::date) as unanswered_observed_date

from customer_days
inner join recoveries
    on
        customer_days.customer_id = recoveries.customer_id
        and customer_days.as_of_date > recoveries.answered_at::date
        and customer_days.as_of_date - recoveries.answered_at::date <= 30

group by customer_days.customer_id, customer_days.as_of_date
