with

judged as (

    select * from {{ ref('int_alert_outcomes') }}

),

periods as (

    select * from {{ ref('int_active_periods') }}

),

windows as (

    select
        alert_rule,
        min(known_date) as observed_from_date,
        {{ as_of() }} + 1 - {{ policy('alert_horizon_days', 'int') }} as ends_date

    from judged

    group by alert_rule

),

-- The base rate is the precision of a random alert: the share of eligible customer days
-- that were followed by churn.
days as (

    select
        windows.alert_rule,
        windows.observed_from_date,
        greatest(
            least(coalesce(periods.churned_date, windows.ends_date), windows.ends_date)
            - greatest(periods.starts_date, windows.observed_from_date),
            0
        ) as day_count,
        greatest(
            least(periods.churned_date, windows.ends_date)
            - greatest(
                periods.starts_date,
                windows.observed_from_date,
                periods.churned_date - {{ policy('alert_horizon_days', 'int') }}
            ),
            0
        ) as churn_day_count,
        periods.churned_date

    from windows
    cross join periods

)

select
    alert_rule,
    observed_from_date,
    (
        coalesce(sum(churn_day_count) filter (where churned_date is not null), 0)
        / nullif(sum(day_count), 0)::numeric
    )::numeric(9, 6) as base_rate

from days

group by alert_rule, observed_from_date
