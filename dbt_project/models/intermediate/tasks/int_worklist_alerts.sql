with

pins as (

    select * from {{ ref('alert_rule_pins') }}

    where {{ as_of() }} >= valid_from and {{ as_of() }} < coalesce(valid_to, 'infinity')

),

-- A rule with a playbook has the value of today in its evidence, any other that of the
-- day of its alert.
bare as (

    select distinct on (alerts.alert_rule, alerts.customer_id)
        alerts.alert_rule,
        alerts.customer_id,
        alerts.evidence

    from {{ ref('int_alerts') }} as alerts
    left join {{ ref('playbooks') }} as playbooks
        on alerts.alert_rule = playbooks.alert_rule

    where alerts.is_open and playbooks.alert_rule is null

    order by
        alerts.alert_rule asc,
        alerts.customer_id asc,
        alerts.opened_date desc,
        alerts.alert_id desc

),

open_alerts as (

    select
        alert_rule,
        customer_id,
        evidence

    from {{ ref('int_open_playbook_alerts') }}

    union all

    select * from bare

)

select
    open_alerts.customer_id,
    open_alerts.alert_rule,
    open_alerts.evidence,
    pins.pinned_by,
    pins.reason as pin_reason

from open_alerts
left join pins on open_alerts.alert_rule = pins.alert_rule
