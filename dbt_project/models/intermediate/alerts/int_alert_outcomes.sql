with

alerts as (

    select * from {{ ref('int_alerts') }}

),

active_periods as (

    select * from {{ ref('int_active_periods') }}

),

-- The horizon starts on the day the alert was known, since no activity could follow
-- earlier.
followed as (

    select
        alerts.alert_id,
        alerts.customer_id,
        alerts.alert_rule,
        alerts.known_date,
        alerts.closed_date,
        active_periods.churned_date - alerts.known_date as days_to_churn,
        alerts.known_date
        <= {{ as_of() }} - {{ policy('alert_horizon_days', 'int') }} as is_mature

    from alerts
    inner join active_periods
        on
            alerts.customer_id = active_periods.customer_id
            and alerts.known_date >= active_periods.starts_date
            and alerts.known_date
            < coalesce(active_periods.churned_date, 'infinity'::date)

)

select
    alert_id,
    customer_id,
    alert_rule,
    known_date,
    closed_date,
    days_to_churn,
    is_mature,
    coalesce(days_to_churn <= {{ policy('alert_horizon_days', 'int') }}, false)
        as is_followed_by_churn

from followed
