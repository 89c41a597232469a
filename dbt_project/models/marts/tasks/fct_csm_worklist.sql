with

customers as (

    select * from {{ ref('dim_customers') }}

    where status = 'active'

),

outlook as (

    select * from {{ ref('int_churn_outlook') }}

),

drivers as (

    select * from {{ ref('int_churn_drivers') }}

),

renewals as (

    select distinct on (customer_id) *

    from {{ ref('fct_renewals') }}

    where is_alert

    order by customer_id asc, notice_date asc

),

proven as (

    select alert_rule from {{ ref('fct_alert_rule_quality') }}

    where verdict = 'proven'

),

-- A proven rule puts a customer on the list, and so does one that a person pinned.
alerts as (

    select
        alerts.*,
        proven.alert_rule is not null as is_proven

    from {{ ref('int_worklist_alerts') }} as alerts
    left join proven on alerts.alert_rule = proven.alert_rule

    where proven.alert_rule is not null or alerts.pinned_by is not null

),

tasks as (

    select * from {{ ref('fct_playbook_tasks') }}

    where closed_at is null

),

-- Done work gives no reason and no action; its alert stays open until the effect shows.
reasons as (

    select
        alerts.customer_id,
        count(*) as alert_rule_count,
        bool_or(alerts.is_proven) as is_proven,
        string_agg(
            alerts.evidence, '; '
            order by tasks.priority asc nulls last, alerts.alert_rule asc
        ) as reason

    from alerts
    left join tasks
        on
            alerts.customer_id = tasks.customer_id
            and alerts.alert_rule = tasks.alert_rule

    where tasks.status is distinct from 'done'

    group by alerts.customer_id

),

first_tasks as (

    select distinct on (tasks.customer_id) tasks.*

    from tasks
    left join alerts
        on
            tasks.customer_id = alerts.customer_id
            and tasks.alert_rule = alerts.alert_rule

    where
        tasks.status != 'done'
        and (alerts.alert_rule is not null or tasks.alert_rule = 'renewal_due')

    order by tasks.customer_id asc, tasks.priority asc

),

-- What is left to do about a renewal whose talk was prepared.
last_steps as (

    select distinct on (alert_rule)
        alert_rule,
        what

    from {{ ref('playbook_steps') }}

    where alert_rule = 'renewal_due'

    order by alert_rule asc, step desc

),

-- A customer that was just worked for is not ranked again before the alert of that work
-- has closed.
done as (

    select distinct tasks.customer_id

    from tasks
    inner join alerts
        on
            tasks.customer_id = alerts.customer_id
            and tasks.alert_rule = alerts.alert_rule

    where tasks.status = 'done'

),

valued as (

    select
        customers.*,
        outlook.churn_probability,
        outlook.probability_source,
        (customers.arr_amount * outlook.churn_probability)::numeric(18, 4)
            as expected_loss_amount,
        coalesce(customers.notice_date >= {{ as_of() }}, true) as can_be_saved,
        renewals.customer_id is not null as is_renewal,
        renewals.days_to_notice,
        reasons.alert_rule_count,
        reasons.is_proven,
        reasons.reason as alert_reason,
        done.customer_id is null as is_rankable

    from customers
    inner join outlook on customers.customer_id = outlook.customer_id
    left join renewals on customers.customer_id = renewals.customer_id
    left join reasons on customers.customer_id = reasons.customer_id
    left join done on customers.customer_id = done.customer_id

),

ranked as (

    select
        *,
        row_number() over (
            partition by csm_id, is_rankable and can_be_saved
            order by
                expected_loss_amount desc nulls last,
                mrr_amount desc nulls last,
                customer_id asc
        ) as loss_rank

    from valued

),

listed as (

    select
        ranked.*,
        case
            when ranked.is_renewal then 'renewals'
            when ranked.health_band = 'unknown' then 'unknown health'
            else 'at risk'
        end as section,
        case
            when ranked.is_proven then 'proven alert'
            when ranked.alert_rule_count > 0 then 'pinned rule'
            when ranked.is_renewal then 'renewal'
            else 'expected loss'
        end as admitted_by,
        concat_ws(
            '; ',
            ranked.alert_reason,
            case
                when ranked.alert_rule_count is null and not ranked.is_renewal
                    then
                        'number ' || ranked.loss_rank
                        || ' of its manager by expected loss'
            end,
            case
                when ranked.is_renewal
                    then
                        'notice is possible for '
                        || ranked.days_to_notice
                        || ' more days'
            end,
            case
                when ranked.churn_probability is null
                    then 'no churn has been observed yet that says how likely it is'
                else
                    round(ranked.churn_probability * 100)
                    || ' % expected to leave within 90 days ('
                    || ranked.probability_source || ')'
            end,
            drivers.reason
        ) as reason,
        first_tasks.alert_rule,
        coalesce(
            first_tasks.action,
            case when ranked.is_renewal then last_steps.what end,
            drivers.action
        ) as action,
        coalesce(first_tasks.task_owner, 'csm') as task_owner,
        first_tasks.task_id,
        first_tasks.status as task_status,
        first_tasks.escalated_to,
        first_tasks.due_at

    from ranked
    left join drivers on ranked.customer_id = drivers.customer_id
    left join last_steps on true
    left join first_tasks on ranked.customer_id = first_tasks.customer_id

    where
        ranked.is_renewal
        or ranked.alert_rule_count > 0
        or (
            ranked.is_rankable
            and ranked.can_be_saved
            and ranked.loss_rank <= {{ policy('worklist_capacity', 'int') }}
        )

)

-- Customers past their notice date cannot be saved any more and come last.
select
    row_number() over (
        order by
            can_be_saved desc,
            expected_loss_amount desc nulls last,
            mrr_amount desc nulls last,
            customer_id asc
    ) as worklist_rank,
    row_number() over (
        partition by csm_id
        order by
            can_be_saved desc,
            expected_loss_amount desc nulls last,
            mrr_amount desc nulls last,
            customer_id asc
    ) as csm_rank,
    customer_id,
    customer_name,
    csm_id,
    csm_name,
    segment,
    alert_rule,
    upper(left(reason, 1)) || substr(reason, 2) || '.' as reason,
    coalesce(alert_rule_count, 0) as alert_rule_count,
    health_score,
    health_band,
    health_coverage,
    reporting_currency,
    mrr_amount as mrr_at_risk_amount,
    expected_loss_amount,
    action,
    task_owner,
    (due_at at time zone 'utc')::date as due_date,
    renewal_date,
    notice_date,
    arr_amount as arr_at_risk_amount,
    can_be_saved,
    task_id,
    task_status,
    escalated_to,
    due_at,
    as_of_date,
    section,
    admitted_by,
    churn_probability,
    probability_source

from listed
