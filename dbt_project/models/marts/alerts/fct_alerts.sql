with

alerts as (

    select * from {{ ref('int_alerts') }}

),

outcomes as (

    select * from {{ ref('int_alert_outcomes') }}

),

quality as (

    select * from {{ ref('fct_alert_rule_quality') }}

),

spans as (

    select * from {{ ref('int_mrr_spans') }}

),

mrr as (

    select
        alerts.alert_id,
        sum(spans.mrr_reporting_amount)::numeric(18, 4) as mrr_amount

    from alerts
    inner join spans
        on
            alerts.customer_id = spans.customer_id
            -- The index of ranges would find the spans of every customer.
            and alerts.known_date >= spans.valid_from
            and alerts.known_date < coalesce(spans.valid_to, date 'infinity')

    group by alerts.alert_id

),

first_activities as (

    select * from {{ ref('int_alert_first_activities') }}

)

select
    alerts.alert_id,
    alerts.customer_id,
    alerts.alert_rule,
    alerts.rule_kind,
    alerts.rule_version,
    alerts.severity,
    quality.verdict as rule_verdict,
    alerts.metric,
    alerts.value,
    alerts.threshold,
    alerts.evidence,
    alerts.evidence_ids,
    alerts.is_open,
    alerts.close_reason,
    alerts.open_days,
    alerts.opened_date,
    alerts.known_date,
    alerts.closed_date,
    (mrr.mrr_amount * 12)::numeric(18, 4) as arr_at_risk_amount,
    first_activities.done_at as first_activity_at,
    first_activities.activity_kind as first_activity_kind,
    first_activities.activity_id as first_activity_id,
    first_activities.hours_to_activity as hours_to_first_activity,
    coalesce(outcomes.is_mature, false) as is_mature,
    case
        when outcomes.is_followed_by_churn then 'churned'
        when outcomes.is_mature then 'retained'
    end as outcome,
    case when outcomes.is_followed_by_churn then outcomes.days_to_churn end
        as lead_days,
    {{ as_of() }} as as_of_date

from alerts
left join outcomes on alerts.alert_id = outcomes.alert_id
left join quality on alerts.alert_rule = quality.alert_rule
left join mrr on alerts.alert_id = mrr.alert_id
left join first_activities on alerts.alert_id = first_activities.alert_id
