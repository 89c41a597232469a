{{ config(materialized='table') }}

with

mrr_daily as (

    select * from {{ ref('fct_mrr_daily') }}

),

first_days as (

    select
        customer_id,
        min(as_of_date) as first_paid_date

    from mrr_daily

    group by customer_id

),

customers as (

    select * from {{ ref('int_customers') }}

),

-- Only who pays on the day has a health to speak of.
days as (

    select
        customer_id,
        as_of_date,
        sum(mrr_reporting_amount)::numeric(18, 4) as mrr_reporting_amount

    from mrr_daily

    where
        as_of_date >= {{ first_day_to_score() }}
        and {{ is_day_to_score('as_of_date') }}

    group by customer_id, as_of_date

)

select
    days.customer_id,
    customers.segment,
    days.mrr_reporting_amount,
    days.as_of_date - first_days.first_paid_date as tenure_days,
    days.as_of_date

from days
inner join first_days on days.customer_id = first_days.customer_id
inner join customers on days.customer_id = customers.customer_id
