{{ config(materialized='table', tags=['statistics']) }}

with

periods as (

    select * from {{ ref('int_active_periods') }}

),

-- The newest verdict on each forecast, over all months and segments.
verdicts as (

    select distinct on (score_name)
        score_name,
        stamp = 'proven' as is_proven

    from {{ source('statistics', 'backtest') }}

    where segment = 'all' and outcome = 'within_horizon' and period = 'all'

    order by score_name asc, landmark_date desc, population_count desc

),

-- Paying customers at past month ends whose outcome is known. Churn within the lead
-- time leaves no time to act and is no case, as in the backtest.
landmarks as (

    select
        health.band,
        coalesce(
            periods.churned_date
            <= health.as_of_date + {{ policy('backtest_horizon_days', 'int') }},
            false
        ) as is_churned

    from {{ ref('int_customer_health_history') }} as health
    inner join periods
        on
            health.customer_id = periods.customer_id
            and health.as_of_date >= periods.starts_date
            and health.as_of_date
            + {{ policy('backtest_lead_days', 'int') }}
            < coalesce(periods.churned_date, 'infinity')

    where
        extract(day from health.as_of_date + 1) = 1
        and health.as_of_date + {{ policy('backtest_horizon_days', 'int') }}
        <= {{ as_of() }}

),

rates as (

    select
        band,
        count(*) as landmark_count,
        avg(is_churned::int)::numeric(9, 6) as churn_rate

    from landmarks

    group by grouping sets ((band), ())

),

learned as (

    select
        customer_id,
        churn_probability_90d

    from {{ source('statistics', 'churn_probability') }}

    where
        landmark_date = {{ as_of() }}
        and exists (
            select from verdicts
            where verdicts.score_name = 'learned' and verdicts.is_proven
        )

),

scored as (

    select
        health.customer_id,
        health.band,
        rates.churn_rate,
        health.main_reason

    from {{ ref('int_customer_health_history') }} as health
    left join rates
        on
            health.band = rates.band
            and rates.landmark_count >= {{ policy('outlook_min_landmarks', 'int') }}
            and exists (
                select from verdicts
                where verdicts.score_name = 'health_score' and verdicts.is_proven
            )

    where health.as_of_date = {{ as_of() }}

),

cancelling as (

    select customer_id from {{ ref('int_customer_metrics') }}

    where
        as_of_date = {{ as_of() }}
        and metric = 'cancelling_subscriptions'
        and value > 0

)

select
    scored.customer_id,
    case
        when cancelling.customer_id is not null then 1
        else
            coalesce(
                learned.churn_probability_90d, scored.churn_rate, base.churn_rate
            )
    end::numeric(9, 6) as churn_probability,
    case
        when cancelling.customer_id is not null then 'scheduled cancellation'
        when learned.customer_id is not null then 'learned model'
        when scored.churn_rate is not null then 'health score'
        when base.churn_rate is not null then 'base rate'
        else 'insufficient data'
    end as probability_source,
    scored.band,
    scored.main_reason

from scored
left join learned on scored.customer_id = learned.customer_id
left join cancelling on scored.customer_id = cancelling.customer_id
left join rates as base on base.band is null
