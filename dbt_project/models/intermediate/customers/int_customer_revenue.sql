{{ config(materialized='table') }}

with

mrr_daily as (

    select * from {{ ref('fct_mrr_daily') }}

),

movements as (

    select * from {{ ref('int_mrr_movements') }}

),

paid as (

    select
        customer_id,
        min(as_of_date) as first_paid_date,
        max(as_of_date) as last_paid_date,
        (
            sum(mrr_reporting_amount) filter (where as_of_date = {{ as_of() }})
        )::numeric(18, 4) as mrr_amount,
        (
            sum(mrr_reporting_amount) filter (
                where as_of_date = ({{ as_of() }} - interval '12 months')::date
            )
        )::numeric(18, 4) as mrr_a_year_ago_amount,
        -- A month's MRR is earned over the twelfth part of a year.
        (sum(mrr_reporting_amount) * 12 / 365.25)::numeric(18, 4)
            as revenue_to_date_amount,
        bool_or(as_of_date = {{ as_of() }}) as is_active,
        string_agg(distinct currency, ', ') filter (where as_of_date = {{ as_of() }})
            as currencies

    from mrr_daily

    group by customer_id

),

departures as (

    select
        customer_id,
        max(movement_date) filter (where movement = 'churn') as churned_date,
        count(distinct movement_date) filter (where movement = 'reactivation')
            as reactivation_count

    from movements

    group by customer_id

)

select
    paid.*,
    case when not paid.is_active then departures.churned_date end as churned_date,
    departures.reactivation_count

from paid
inner join departures on paid.customer_id = departures.customer_id
