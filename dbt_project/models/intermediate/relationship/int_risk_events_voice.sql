with

monthly as (

    select
        *,
        (month + interval '1 month')::date - 1 as month_end_date,
        lag(is_score_falling, 1, false) over by_month as was_falling,
        min((month + interval '1 month')::date - 1) filter (
            where is_score_falling is not true
        ) over (
            by_month rows between 1 following and unbounded following
        ) as recovered_date

    from {{ ref('fct_customer_survey_monthly') }}

    where survey = 'nps'

    window by_month as (partition by customer_id, scale_max order by month)

),

drops as (

    select * from {{ ref('fct_score_drops') }}

),

recoveries as (

    select * from {{ ref('int_detractor_recoveries') }}

    where is_sla_met is false

),

silences as (

    select * from {{ ref('int_survey_silences') }}

),

ratings as (

    select * from {{ ref('int_low_ratings') }}

),

-- Where nobody keeps the day of implementation, nothing is late.
feedback as (

    select *
    from (
        select
            *,
            bool_or(implemented_date is not null) over (partition by source)
                as is_tracked,
            least(prioritized_date, implemented_date) as first_step_date,
            implemented_date + {{ policy('inform_days', 'int') }} as inform_by_date,
            raised_date + {{ policy('feedback_age_days', 'int') }} as forgotten_date

        from {{ ref('int_feedback_items') }}
    ) as items

    where is_tracked

),

events as (

    select
        customer_id,
        'mean_score_fell' as risk_event,
        customer_id || ':' || month as event_id,
        month_end_date as opened_date,
        recovered_date as closed_date,
        mean_score_fall as value,
        'response:' || unnest(response_ids) as evidence_id,
        'The mean survey score fell from ' || mean_score + mean_score_fall || ' to '
        || mean_score || ' within three months.' as evidence

    from monthly

    where is_score_falling and was_falling is not true

    union all

    select
        customer_id,
        'score_dropped' as risk_event,
        response_id as event_id,
        answered_date as opened_date,
        recovered_date as closed_date,
        drop_points as value,
        'response:' || unnest(array[earlier_response_id, response_id]) as evidence_id,
        'The score of '
        || case compared_with
            when 'same_respondent' then 'one respondent' else 'one role'
        end
        || ' fell from ' || trim_scale(earlier_score) || ' to ' || trim_scale(score)
        || '.' as evidence

    from drops

    union all

    select
        customer_id,
        'detractor_missed' as risk_event,
        response_id as event_id,
        (escalation_due_at at time zone 'utc')::date as opened_date,
        (first_action_at at time zone 'utc')::date as closed_date,
        score as value,
        'response:' || response_id as evidence_id,
        'A score of ' || trim_scale(score) || ' had no first step within '
        || {{ policy('detractor_sla_hours', 'int') }} || ' hours.' as evidence

    from recoveries

    union all

    select
        customer_id,
        risk_event,
        customer_id || ':' || opened_date as event_id,
        opened_date,
        closed_date,
        value,
        null as evidence_id,
        case risk_event
            when 'customer_silent' then 'Asked ' || value || ' times, never answered.'
            else
                'No answer for ' || {{ policy('survey_window_days', 'int') }}
                || ' days.'
        end as evidence

    from silences

    union all

    select
        customer_id,
        case survey when 'csat' then 'satisfaction_low' else 'effort_high' end
            as risk_event,
        customer_id || ':' || scale_max || ':' || opened_date as event_id,
        opened_date,
        closed_date,
        share as value,
        unnest(evidence_ids) as evidence_id,
        case survey
            when 'csat' then round(share * 100) || ' % of the ratings were good.'
            else round(share * 100) || ' % of the answers found it hard.'
        end as evidence

    from ratings

    union all

    select
        customer_id,
        'feedback_not_told' as risk_event,
        feedback_id as event_id,
        inform_by_date as opened_date,
        informed_date as closed_date,
        {{ as_of() }} - implemented_date as value,
        'feedback:' || feedback_id as evidence_id,
        'A wish was built on ' || implemented_date || ' and the customer was not told.'
            as evidence

    from feedback

    where coalesce(informed_date > inform_by_date, implemented_date is not null)

    union all

    select
        customer_id,
        'feedback_forgotten' as risk_event,
        feedback_id as event_id,
        forgotten_date as opened_date,
        first_step_date as closed_date,
        coalesce(first_step_date, {{ as_of() }}) - raised_date as value,
        'feedback:' || feedback_id as evidence_id,
        'A wish raised on ' || raised_date || ' was neither prioritized nor built.'
            as evidence

    from feedback

    where coalesce(first_step_date > forgotten_date, true)

)

select
    customer_id,
    risk_event,
    event_id,
    opened_date,
    closed_date,
    value::numeric(18, 4) as value,
    array_remove(array_agg(evidence_id order by evidence_id), null) as evidence_ids,
    evidence

from events

where opened_date <= {{ as_of() }}

group by
    customer_id,
    risk_event,
    event_id,
    opened_date,
    closed_date,
    value,
    evidence
