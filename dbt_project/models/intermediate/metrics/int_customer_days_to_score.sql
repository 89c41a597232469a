{{ config(materialized='table') }}

with

spans as (

    select * from {{ ref('int_mrr_spans') }}

),

calendar as (

    select day.at::date as as_of_date

    from generate_series(
        (
            select greatest({{ first_day_to_score() }}, min(spans.valid_from))
            from spans
            -- Without a span there is no first day, and the series is empty.
            having count(*) > 0
        )::timestamp,
        {{ as_of() }}::timestamp,
        interval '1 day'
    ) as day (at)

),

first_days as (

    select
        customer_id,
        min(valid_from) as first_paid_date

    from spans

    group by customer_id

),

customers as (

    select * from {{ ref('int_customers') }}

),

-- Only customers paying on the day are scored.
days as (

    select
        spans.customer_id,
        calendar.as_of_date,
        sum(spans.mrr_reporting_amount)::numeric(18, 4) as mrr_reporting_amount

    from calendar
    inner join spans
        on daterange(spans.valid_from, spans.valid_to) @> calendar.as_of_date

    where {{ is_day_to_score('calendar.as_of_date') }}

    group by spans.customer_id, calendar.as_of_date

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
