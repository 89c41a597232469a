with

-- An alert that opens during or soon after another one continues the same task.
begun as (

    select
        *,
        coalesce(
            opened_at > max(coalesce(closed_at, 'infinity'::timestamptz)) over (
                partition by customer_id, alert_rule
                order by opened_at, evidence_list
                rows between unbounded preceding and 1 preceding
            ) + make_interval(days => {{ policy('playbook_reopen_days', 'int') }}),
            true
        ) as is_new

    from {{ ref('int_playbook_alerts') }}

),

numbered as (

    select
        *,
        count(*) filter (where is_new) over (
            partition by customer_id, alert_rule order by opened_at, evidence_list
        ) as number

    from begun

),

-- Assigned with the oldest alert that is still open, or else with the last one.
assigned as (

    select
        customer_id,
        alert_rule,
        min(opened_at) as opened_at,
        coalesce(min(opened_at) filter (where closed_at is null), max(opened_at))
            as assigned_at,
        case when bool_and(closed_at is not null) then max(closed_at) end as closed_at,
        count(*) - 1 as reopened_count,
        (array_agg(answered_by_at order by opened_at desc, evidence_list desc))[1]
            as answered_by_at,
        (array_agg(evidence order by opened_at desc, evidence_list desc))[1]
            as evidence,
        (array_agg(evidence_list order by opened_at desc, evidence_list desc))[1]
            as evidence_list

    from numbered

    group by customer_id, alert_rule, number

),

tasks as (

    select
        assigned.*,
        playbooks.done_by,
        playbooks.escalate_to,
        assigned.assigned_at + make_interval(hours => playbooks.due_hours) as due_at

    from assigned
    inner join {{ ref('playbooks') }} as playbooks
        on assigned.alert_rule = playbooks.alert_rule

),

activities as (

    select * from {{ ref('int_activities') }}

    where done_at < {{ midnight_after(as_of()) }}

),

-- The first activity of a kind that the playbook counts, between the assignment of the
-- task and the close of its alert.
first_activities as (

    select distinct on (tasks.customer_id, tasks.alert_rule, tasks.opened_at)
        tasks.customer_id,
        tasks.alert_rule,
        tasks.opened_at,
        activities.done_at,
        activities.activity_id,
        activities.activity_kind

    from tasks
    inner join activities
        on
            tasks.customer_id = activities.customer_id
            and tasks.assigned_at < activities.done_at
            and activities.activity_kind = any(string_to_array(tasks.done_by, '|'))

    where tasks.closed_at is null or activities.done_at <= tasks.closed_at

    order by
        tasks.customer_id asc,
        tasks.alert_rule asc,
        tasks.opened_at asc,
        activities.done_at asc,
        activities.activity_id asc

),

timed as (

    select
        tasks.*,
        first_activities.activity_id,
        first_activities.activity_kind,
        coalesce(tasks.answered_by_at, first_activities.done_at) as done_at

    from tasks
    left join first_activities
        on
            tasks.customer_id = first_activities.customer_id
            and tasks.alert_rule = first_activities.alert_rule
            and tasks.opened_at = first_activities.opened_at

),

-- If an alert closes without an activity, its task lapsed if overdue, else it cleared.
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
    customer_id,
    alert_rule,
    status,
    case when status = 'overdue' then nullif(escalate_to, '') end as escalated_to,
    evidence,
    evidence_list,
    reopened_count,
    status in ('open', 'overdue') as is_open,
    case
        when done_at is not null then done_at <= due_at
        when status in ('overdue', 'lapsed') then false
    end as is_in_time,
    activity_kind,
    activity_id,
    opened_at,
    assigned_at,
    due_at,
    done_at,
    closed_at

from judged
