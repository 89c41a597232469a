{{ config(materialized='table') }}

{% set limit = "make_interval(hours => " ~ policy('detractor_sla_hours', 'int') ~ ")" %}
{% set end_of_day = "((" ~ as_of() ~ " + 1)::timestamp at time zone 'utc')" %}

with

answers as (

    select
        *,
        lead(score) over next_answer as next_score,
        lead(answer_class) over next_answer as next_class,
        lead(answered_date) over next_answer as next_date

    from {{ ref('int_survey_responses') }}

    where {{ is_nps_answer() }}

    window next_answer as (
        partition by customer_id, respondent_key
        order by answered_at, response_id
    )

),

detractors as (

    select * from answers

    where answer_class = 'detractor'

),

activities as (

    select * from {{ ref('int_activities') }}

),

-- An activity linked to the answer takes precedence over one for the account.
first_actions as (

    select distinct on (detractors.source, detractors.response_id)
        detractors.source,
        detractors.response_id,
        activities.activity_id as first_action_id,
        activities.activity_kind as first_action_kind,
        activities.done_at as first_action_at,
        coalesce(activities.survey_response_id = detractors.response_id, false)
            as is_first_action_linked

    from detractors
    inner join activities
        on
            detractors.customer_id = activities.customer_id
            and detractors.answered_at < activities.done_at

    where
        activities.done_at < {{ end_of_day }}
        and activities.activity_kind != 'escalation'

    order by
        detractors.source asc,
        detractors.response_id asc,
        coalesce(activities.survey_response_id = detractors.response_id, false) desc,
        activities.done_at asc,
        activities.activity_id asc

),

-- A plan is a task with a link to the answer, an owner and a date; the first one
-- counts.
plans as (

    select
        survey_response_id,
        (array_agg(activity_id order by created_at, activity_id))[1] as plan_action_id,
        (array_agg(owner_id order by created_at, activity_id))[1] as plan_owner_id,
        (array_agg(due_at order by created_at, activity_id))[1] as plan_due_at

    from activities

    where
        survey_response_id is not null
        and owner_id is not null
        and due_at is not null
        and created_at < {{ end_of_day }}
        and activity_kind != 'escalation'

    group by survey_response_id

),

escalations as (

    select
        survey_response_id,
        min(done_at) as escalated_at

    from activities

    where activity_kind = 'escalation' and done_at < {{ end_of_day }}

    group by survey_response_id

),

departures as (

    select
        detractors.source,
        detractors.response_id,
        min(movements.movement_date) as left_date

    from detractors
    inner join {{ ref('int_mrr_movements') }} as movements
        on
            detractors.customer_id = movements.customer_id
            and detractors.answered_date < movements.movement_date

    where movements.movement = 'churn' and movements.movement_date <= {{ as_of() }}

    group by detractors.source, detractors.response_id

),

timed as (

    select
        detractors.*,
        first_actions.first_action_id,
        first_actions.first_action_kind,
        first_actions.first_action_at,
        first_actions.is_first_action_linked,
        plans.plan_action_id,
        plans.plan_owner_id,
        plans.plan_due_at,
        escalations.escalated_at,
        departures.left_date,
        coalesce(first_actions.first_action_at, {{ end_of_day }})
        - detractors.answered_at as waited

    from detractors
    left join first_actions
        on
            detractors.source = first_actions.source
            and detractors.response_id = first_actions.response_id
    left join plans on detractors.response_id = plans.survey_response_id
    left join escalations on detractors.response_id = escalations.survey_response_id
    left join departures
        on
            detractors.source = departures.source
            and detractors.response_id = departures.response_id

)

-- A response younger than the limit is censored: neither met nor missed. Hours are
-- elapsed hours, so changes of the clock do not matter.
select
    source,
    response_id,
    customer_id,
    contact_id,
    contact_role,
    score,
    answered_at,
    answered_date,
    first_action_id,
    first_action_kind,
    first_action_at,
    is_first_action_linked,
    case
        when first_action_at is not null then extract(epoch from waited) / 3600
    end::numeric(12, 2) as hours_to_first_action,
    case
        when waited > {{ limit }} then false
        when first_action_at is not null then true
    end as is_sla_met,
    case
        when waited <= {{ limit }} then 0
        when waited <= make_interval(hours => {{ policy('escalation_hours', 'int') }})
            then 1
        else 2
    end as escalation_level,
    case when waited > {{ limit }} then answered_at + {{ limit }} end
        as escalation_due_at,
    escalated_at,
    plan_action_id,
    plan_owner_id,
    plan_due_at,
    case
        when next_date <= coalesce(left_date, next_date)
            then
                case next_class
                    when 'detractor' then 'still_detractor' else 'recovered'
                end
        when left_date is not null then 'churned'
        else 'not_known'
    end as outcome,
    case
        when next_date <= coalesce(left_date, next_date) then next_score
    end::numeric(6, 2) as outcome_score,
    least(next_date, left_date) as outcome_date

from timed
