with

asked as (

    select * from {{ ref('int_playbook_asks') }}

),

playbooks as (

    select * from {{ ref('playbooks') }}

),

steps as (

    select
        trigger,
        jsonb_agg(
            jsonb_build_object(
                'step', step, 'what', what, 'owner', owner, 'due_hours', due_hours
            ) order by step
        ) as steps

    from {{ ref('playbook_steps') }}

    group by trigger

),

acts as (

    select * from {{ ref('int_playbook_acts') }}

),

timed as (

    select
        asked.*,
        customers.csm_id,
        coalesce(asked.answered_by_at, acts.acted_at) as done_at,
        acts.action_id as done_by_id,
        acts.action_kind as done_by_kind,
        asked.asked_at + make_interval(hours => playbooks.due_hours) as due_at,
        playbooks.action,
        playbooks.owner,
        playbooks.escalate_to,
        playbooks.expected_effect,
        playbooks.priority,
        steps.steps

    from asked
    inner join playbooks on asked.trigger = playbooks.trigger
    inner join {{ ref('dim_customers') }} as customers
        on asked.customer_id = customers.customer_id
    left join acts
        on
            asked.customer_id = acts.customer_id
            and asked.trigger = acts.trigger
            and asked.opened_at = acts.opened_at
    left join steps on asked.trigger = steps.trigger

),

-- Overdue is what is still asked for. What went off without an act has lapsed when it
-- was overdue by then, and was cleared when there was time left.
judged as (

    select
        *,
        case
            when done_at is not null then 'done'
            when closed_at > due_at then 'lapsed'
            when closed_at is not null then 'cleared'
            when due_at <= {{ midnight_after(as_of()) }} then 'overdue'
            else 'open'
        end as status

    from timed

)

select
    trigger || ':' || customer_id || ':' || opened_at::date as playbook_action_id,
    customer_id,
    trigger,
    priority,
    status,
    csm_id,
    owner as action_owner,
    case when status = 'overdue' then nullif(escalate_to, '') end as escalated_to,
    action,
    steps,
    expected_effect,
    evidence,
    string_to_array(evidence_list, '|') as evidence_ids,
    reopened_count,
    status in ('open', 'overdue') as is_open,
    case
        when done_at is not null then done_at <= due_at
        when status in ('overdue', 'lapsed') then false
    end as is_in_time,
    done_by_kind,
    done_by_id,
    opened_at,
    asked_at,
    due_at,
    done_at,
    closed_at,
    {{ as_of() }} as as_of_date

from judged
