{{ config(materialized='table') }}

with

spans as (

    select
        *,
        coalesce(valid_to, {{ as_of() }} + 1) - valid_from as days,
        valid_to is null as is_in_force

    from {{ ref('int_mrr_spans') }}

),

movements as (

    select * from {{ ref('int_mrr_movements') }}

),

paid as (

    select
        customer_id,
        min(valid_from) as first_paid_date,
        max(valid_from + days - 1) as last_paid_date,
        (sum(mrr_reporting_amount) filter (where is_in_force))::numeric(18, 4)
            as mrr_amount,
        (
            sum(mrr_reporting_amount) filter (
                where daterange(valid_from, valid_to)
                @> ({{ as_of() }} - interval '12 months')::date
            )
        )::numeric(18, 4) as mrr_a_year_ago_amount,
        -- A month of MRR is revenue of 365.25 / 12 days.
        (sum(mrr_reporting_amount * days) * 12 / 365.25)::numeric(18, 4)
            as revenue_to_date_amount,
        bool_or(is_in_force) as is_active,
        string_agg(distinct currency, ', ') filter (where is_in_force) as currencies

    from spans

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
