with

fired as (

    select * from {{ ref('int_triggers_fired') }}

),

customers as (

    select * from {{ ref('dim_customers') }}

),

health as (

    select * from {{ ref('fct_customer_health_daily') }}

    where as_of_date = {{ as_of() }}

),

actions as (

    select * from {{ ref('fct_playbook_actions') }}

    where is_open or (status = 'done' and closed_at is null)

),

-- One row per customer: of the triggers whose action is not done yet the one of highest
-- priority says what to do, all of them the reason. An action keeps its date from day
-- to day; a trigger that has none yet is known since this morning.
first_triggers as (

    select distinct on (fired.customer_id)
        fired.customer_id,
        fired.trigger,
        fired.action,
        fired.action_owner,
        actions.playbook_action_id,
        coalesce(actions.status, 'open') as action_status,
        actions.escalated_to,
        coalesce(
            actions.due_at,
            {{ midnight_after(as_of()) }} + make_interval(hours => fired.due_hours)
        ) as due_at

    from fired
    left join actions
        on fired.customer_id = actions.customer_id and fired.trigger = actions.trigger

    order by
        fired.customer_id asc,
        coalesce(actions.status, 'open') = 'done' asc,
        fired.priority asc

),

reasons as (

    select
        customer_id,
        count(*) as trigger_count,
        count(*) filter (where trigger != 'renewal_due') as risk_count,
        bool_or(is_enough) as is_enough,
        string_agg(evidence, '; ' order by priority) as reason

    from fired

    group by customer_id

),

-- A list of half the customers is no list: what is common among healthy customers
-- counts only where the score is down too, or where several signs come together. A
-- renewal that comes near is work and not a risk.
at_risk as (

    select
        customers.customer_id,
        customers.customer_name,
        customers.csm_id,
        customers.csm_name,
        customers.segment,
        first_triggers.trigger,
        upper(left(reasons.reason, 1)) || substr(reasons.reason, 2) || '.' as reason,
        reasons.trigger_count,
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
        first_triggers.action,
        first_triggers.action_owner,
        (first_triggers.due_at at time zone 'utc')::date as due_date,
        customers.renewal_date,
        customers.notice_date,
        customers.arr_amount as arr_at_risk_amount,
        coalesce(customers.notice_date >= {{ as_of() }}, true) as can_be_saved,
        first_triggers.playbook_action_id,
        first_triggers.action_status,
        first_triggers.escalated_to,
        first_triggers.due_at,
        {{ as_of() }} as as_of_date

    from customers
    inner join first_triggers on customers.customer_id = first_triggers.customer_id
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

-- First what can still be saved: past the notice date the contract has decided.
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
