{{ config(materialized='table') }}

with

open_alerts as (

    select
        alert_rule,
        customer_id,
        count(*) as alert_count,
        max(value) as value,
        (array_agg(evidence order by opened_at desc))[1] as evidence

    from {{ ref('int_playbook_alerts') }}

    where closed_at is null

    group by alert_rule, customer_id

),

rules as (

    select * from {{ ref('int_alert_rules') }}

    where {{ as_of() }} >= valid_from and {{ as_of() }} < valid_to

),

measured as (

    select
        customer_id,
        alert_rule,
        value

    from {{ ref('int_alert_metric_days') }}

    where as_of_date = {{ as_of() }}

),

-- The worklist shows the current value, not the value that opened the alert.
valued as (

    select
        open_alerts.customer_id,
        open_alerts.alert_rule,
        open_alerts.evidence,
        rules.worklist_value,
        rules.sentence,
        case rules.worklist_value
            when 'measured' then measured.value
            when 'count' then open_alerts.alert_count
            when 'highest' then open_alerts.value
        end as value

    from open_alerts
    inner join rules on open_alerts.alert_rule = rules.alert_rule
    left join measured
        on
            open_alerts.customer_id = measured.customer_id
            and open_alerts.alert_rule = measured.alert_rule

)

-- A metric that is not measured today leaves its alert open but gives no reason.
select
    customer_id,
    alert_rule,
    value::numeric(18, 4) as value,
    coalesce({{ sentence('sentence', 'value') }}, evidence) as evidence

from valued

where worklist_value != 'measured' or value is not null
