with

judged as (

    select * from {{ ref('int_alert_outcomes') }}

),

periods as (

    select * from {{ ref('int_active_periods') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

windows as (

    select
        alert_rule,
        min(known_date) as observed_from_date,
        {{ as_of() }} + 1 - {{ policy('alert_horizon_days', 'int') }} as ends_date

    from judged

    group by alert_rule

),

days as (

    select
        windows.alert_rule,
        windows.observed_from_date,
        customers.segment,
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
    inner join customers on periods.customer_id = customers.customer_id

),

-- The precision of a random alert: the share of eligible customer days that were
-- followed by churn.
random_alerts as (

    select
        alert_rule,
        observed_from_date,
        segment,
        coalesce(sum(churn_day_count) filter (where churned_date is not null), 0)
        / nullif(sum(day_count), 0)::numeric as rate

    from days

    group by grouping sets (
        (alert_rule, observed_from_date, segment), (alert_rule, observed_from_date)
    )

),

-- Segments churn at different rates. A rule that only finds a segment is compared with
-- the rate of that segment.
expected as (

    select
        judged.alert_rule,
        avg(random_alerts.rate) as rate

    from judged
    inner join customers on judged.customer_id = customers.customer_id
    inner join random_alerts
        on
            judged.alert_rule = random_alerts.alert_rule
            and customers.segment = random_alerts.segment

    where judged.is_mature

    group by judged.alert_rule

)

select
    random_alerts.alert_rule,
    random_alerts.observed_from_date,
    coalesce(expected.rate, random_alerts.rate)::numeric(9, 6) as base_rate

from random_alerts
left join expected on random_alerts.alert_rule = expected.alert_rule

where random_alerts.segment is null
