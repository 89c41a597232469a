with

open_alerts as (

    select * from {{ ref('int_open_playbook_alerts') }}

),

playbooks as (

    select * from {{ ref('playbooks') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

health as (

    select * from {{ ref('fct_customer_health_daily') }}

    where as_of_date = {{ as_of() }}

),

tasks as (

    select * from {{ ref('fct_playbook_tasks') }}

    where closed_at is null

),

-- The task of highest priority gives the action; all open alerts give the reason.
first_tasks as (

    select distinct on (tasks.customer_id) tasks.*

    from tasks
    inner join open_alerts
        on
            tasks.customer_id = open_alerts.customer_id
            and tasks.alert_rule = open_alerts.alert_rule

    order by
        tasks.customer_id asc,
        tasks.status = 'done' asc,
        tasks.priority asc

),

reasons as (

    select
        open_alerts.customer_id,
        count(*) as alert_rule_count,
        count(*) filter (where open_alerts.alert_rule != 'renewal_due') as risk_count,
        bool_or(playbooks.is_enough) as is_enough,
        string_agg(open_alerts.evidence, '; ' order by playbooks.priority) as reason

    from open_alerts
    inner join playbooks on open_alerts.alert_rule = playbooks.alert_rule

    group by open_alerts.customer_id

),

-- To keep the worklist short, alerts common among healthy customers count only with a
-- low score or with further alerts. A coming renewal alone is work, not a risk.
at_risk as (

    select
        customers.customer_id,
        customers.customer_name,
        customers.csm_id,
        customers.csm_name,
        customers.segment,
        first_tasks.alert_rule,
        upper(left(reasons.reason, 1)) || substr(reasons.reason, 2) || '.' as reason,
        reasons.alert_rule_count,
        health.score as health_score,
        health.band as health_band,
        health.coverage as health_coverage,
        customers.reporting_currency,
        customers.mrr_amount as mrr_at_risk_amount,
        (
            customers.mrr_amount
            * (100 - case when health.band = 'unknown' then 50 else health.score end)
            / 100
        )::numeric(18, 4) as expected_loss_amount,
        first_tasks.action,
        first_tasks.task_owner,
        (first_tasks.due_at at time zone 'utc')::date as due_date,
        customers.renewal_date,
        customers.notice_date,
        customers.arr_amount as arr_at_risk_amount,
        coalesce(customers.notice_date >= {{ as_of() }}, true) as can_be_saved,
        first_tasks.task_id,
        first_tasks.status as task_status,
        first_tasks.escalated_to,
        first_tasks.due_at,
        {{ as_of() }} as as_of_date

    from customers
    inner join first_tasks on customers.customer_id = first_tasks.customer_id
    inner join reasons on customers.customer_id = reasons.customer_id
    inner join health on customers.customer_id = health.customer_id

    where
        customers.status = 'active'
        and reasons.risk_count > 0
        and (
            reasons.is_enough
            or health.band in ('red', 'yellow')
            or reasons.risk_count >= {{ policy('worklist_min_signs', 'int') }}
        )

)

-- Customers past their notice date cannot be saved any more and come last.
select
    row_number() over (
        order by
            can_be_saved desc, expected_loss_amount desc nulls last, customer_id asc
    ) as worklist_rank,
    row_number() over (
        partition by csm_id
        order by
            can_be_saved desc, expected_loss_amount desc nulls last, customer_id asc
    ) as csm_rank,
    *

from at_risk
