with

tasks as (

    select * from {{ ref('int_playbook_task_status') }}

),

playbooks as (

    select * from {{ ref('playbooks') }}

),

steps as (

    select
        alert_rule,
        jsonb_agg(
            jsonb_build_object(
                'step', step, 'what', what, 'owner', owner, 'due_hours', due_hours
            ) order by step
        ) as steps

    from {{ ref('playbook_steps') }}

    group by alert_rule

),

customers as (

    select * from {{ ref('dim_customers') }}

)

select
    tasks.alert_rule || ':' || tasks.customer_id || ':' || tasks.opened_at::date
        as task_id,
    tasks.customer_id,
    tasks.alert_rule,
    playbooks.priority,
    tasks.status,
    customers.csm_id,
    playbooks.owner as task_owner,
    tasks.escalated_to,
    playbooks.action,
    steps.steps,
    playbooks.expected_effect,
    tasks.evidence,
    string_to_array(tasks.evidence_list, '|') as evidence_ids,
    tasks.reopened_count,
    tasks.is_open,
    tasks.is_in_time,
    tasks.activity_kind,
    tasks.activity_id,
    tasks.opened_at,
    tasks.assigned_at,
    tasks.due_at,
    tasks.done_at,
    tasks.closed_at,
    {{ as_of() }} as as_of_date

from tasks
inner join playbooks on tasks.alert_rule = playbooks.alert_rule
inner join customers on tasks.customer_id = customers.customer_id
left join steps on tasks.alert_rule = steps.alert_rule
