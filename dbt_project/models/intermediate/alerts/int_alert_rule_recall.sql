with

outcomes as (

    select * from {{ ref('int_alert_outcomes') }}

),

rules as (

    select
        alert_rule,
        min(known_date) as observed_from_date

    from outcomes

    group by alert_rule

),

churns as (

    select
        customer_id,
        churned_date

    from {{ ref('int_active_periods') }}

    where churned_date is not null

),

-- A churn counts as warned if an alert was open within the horizon before it.
warned as (

    select
        rules.alert_rule,
        churns.customer_id,
        churns.churned_date,
        churns.churned_date - min(outcomes.known_date) as lead_days

    from rules
    inner join churns on rules.observed_from_date < churns.churned_date
    left join outcomes
        on
            rules.alert_rule = outcomes.alert_rule
            and churns.customer_id = outcomes.customer_id
            and churns.churned_date > outcomes.known_date
            and coalesce(outcomes.closed_date, 'infinity'::date)
            >= churns.churned_date - {{ policy('alert_horizon_days', 'int') }}

    group by rules.alert_rule, churns.customer_id, churns.churned_date

)

select
    alert_rule,
    count(*) as churn_count,
    count(lead_days) as warned_count,
    count(lead_days) / count(*)::numeric as recall_share,
    percentile_cont(0.5) within group (order by lead_days) as median_lead_days

from warned

group by alert_rule
