with

recoveries as (

    select * from {{ ref('int_detractor_recoveries') }}

),

customers as (

    select * from {{ ref('int_customers') }}

)

select
    recoveries.source,
    recoveries.response_id,
    recoveries.customer_id,
    customers.segment,
    recoveries.contact_id,
    recoveries.contact_role,
    recoveries.score,
    recoveries.hours_to_first_action,
    recoveries.is_sla_met,
    recoveries.is_sla_met is null as is_censored,
    recoveries.first_action_kind,
    recoveries.first_action_id,
    recoveries.is_first_action_linked,
    recoveries.escalation_level,
    recoveries.plan_action_id is not null as has_plan,
    recoveries.plan_action_id,
    recoveries.plan_owner_id,
    recoveries.outcome,
    recoveries.outcome_score,
    recoveries.answered_date,
    recoveries.outcome_date,
    recoveries.answered_at,
    recoveries.first_action_at,
    recoveries.escalation_due_at,
    recoveries.escalated_at,
    recoveries.plan_due_at

from recoveries
inner join customers on recoveries.customer_id = customers.customer_id
