{#- A table, because outcomes, playbooks, the timeline and the mart read it. -#}
{{ config(materialized='table') }}

with

alerts as (

    select * from {{ ref('int_alerts_of_metrics') }}

    union all

    select * from {{ ref('int_alerts_of_events') }}

),

rules as (

    select * from {{ ref('alert_rules') }}

)

select
    alerts.alert_id,
    alerts.customer_id,
    alerts.alert_rule,
    rules.kind as rule_kind,
    alerts.rule_version,
    rules.severity,
    rules.metric,
    alerts.value,
    rules.threshold,
    alerts.evidence,
    alerts.evidence_ids,
    alerts.closed_date is null as is_open,
    alerts.close_reason,
    (
        coalesce(alerts.closed_date, {{ as_of() }} + 1) - alerts.opened_date
    )::int as open_days,
    alerts.opened_date,
    alerts.known_date,
    alerts.closed_date

from alerts
inner join rules
    on alerts.alert_rule = rules.alert_rule and alerts.rule_version = rules.version
