{{ config(materialized='table') }}

{% set movements = ['new', 'expansion', 'contraction', 'churn', 'reactivation'] %}

with

mrr_by_month as (

    select * from {{ ref('int_mrr_by_month') }}

),

mrr_movements as (

    select * from {{ ref('int_mrr_movements') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

-- Churn and return are a customer's, not a currency's, so currencies are added up
-- first. `kept` values the closing MRR at the opening rate: what exchange rates did is
-- not retention.
amounts as (

    select
        customer_id,
        month,
        max(reporting_currency) as reporting_currency,
        bool_or(opening_amount > 0) as is_open,
        bool_or(closing_amount > 0) as is_kept,
        coalesce(sum((opening_amount * opening_fx_rate)::numeric(18, 4)), 0)
            as opening_amount,
        coalesce(sum((closing_amount * opening_fx_rate)::numeric(18, 4)), 0)
            as kept_amount,
        coalesce(sum((closing_amount * closing_fx_rate)::numeric(18, 4)), 0)
            as closing_amount,
        {% for movement in movements -%}
        coalesce(sum(({{ movement }}_amount * closing_fx_rate)::numeric(18, 4)), 0)
            as {{ movement }}_amount,
        {% endfor -%}
        bool_or(closing_fx_rate is null) as is_unconverted

    from mrr_by_month

    group by customer_id, month

),

-- Distinct days, because a customer with two currencies leaves once and not twice.
events as (

    select
        customer_id,
        {% for movement in ['new', 'reactivation', 'churn'] -%}
        count(distinct movement_date) filter (where movement = '{{ movement }}')
            as {{ movement }}_count,
        {% endfor -%}
        date_trunc('month', movement_date)::date as month

    from mrr_movements

    group by customer_id, date_trunc('month', movement_date)

)

select
    amounts.*,
    customers.segment,
    coalesce(events.new_count, 0) as new_count,
    coalesce(events.reactivation_count, 0) as reactivation_count,
    coalesce(events.churn_count, 0) as churn_count

from amounts
inner join customers on amounts.customer_id = customers.customer_id
left join events
    on
        amounts.customer_id = events.customer_id
        and amounts.month = events.month
