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

-- One row per customer: the trigger of highest priority names the action, all of them
-- the reason.
first_triggers as (

    select distinct on (customer_id)
        customer_id,
        trigger,
        action,
        action_owner,
        due_days

    from fired

    order by customer_id, priority

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
        {{ as_of() }} + first_triggers.due_days as due_date,
        customers.renewal_date,
        customers.notice_date,
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

select
    row_number() over (
        order by expected_loss_amount desc nulls last, customer_id asc
    ) as worklist_rank,
    *

from at_risk
