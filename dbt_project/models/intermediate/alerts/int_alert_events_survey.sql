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

    from {{ ref('int_customer_survey_by_month') }}

    where survey = 'nps'

    window by_month as (partition by customer_id, scale_max order by month)

),

events as (

    select
        customer_id,
        'mean_score_fell' as alert_event,
        customer_id || ':' || month as event_id,
        month_end_date as opened_date,
        recovered_date as closed_date,
        mean_score_fall as value,
        {{ evidence_of('response', 'response_ids') }} as evidence_ids,
        'The mean survey score fell from ' || mean_score + mean_score_fall || ' to '
        || mean_score || ' within three months.' as evidence

    from monthly

    where is_score_falling and was_falling is not true

    union all

    select
        customer_id,
        'score_dropped' as alert_event,
        response_id as event_id,
        answered_date as opened_date,
        recovered_date as closed_date,
        drop_points as value,
        {{ evidence_of('response', 'array[earlier_response_id, response_id]') }}
            as evidence_ids,
        'The score of '
        || case compared_with
            when 'same_respondent' then 'one respondent' else 'one role'
        end
        || ' fell from ' || trim_scale(earlier_score) || ' to ' || trim_scale(score)
        || '.' as evidence

    from {{ ref('int_score_drops') }}

    union all

    select
        customer_id,
        'detractor_missed' as alert_event,
        response_id as event_id,
        (escalation_due_at at time zone 'utc')::date as opened_date,
        (first_action_at at time zone 'utc')::date as closed_date,
        score as value,
        {{ evidence_of('response', 'array[response_id]') }} as evidence_ids,
        'A score of ' || trim_scale(score) || ' had no first step within '
        || {{ policy('detractor_sla_hours', 'int') }} || ' hours.' as evidence

    from {{ ref('int_detractor_recoveries') }}

    where is_sla_met is false

    union all

    select
        customer_id,
        alert_event,
        customer_id || ':' || opened_date as event_id,
        opened_date,
        closed_date,
        value,
        array[]::text[] as evidence_ids,
        case alert_event
            when 'customer_silent' then 'Asked ' || value || ' times, never answered.'
            else
                'No answer for ' || {{ policy('survey_window_days', 'int') }}
                || ' days.'
        end as evidence

    from {{ ref('int_survey_silences') }}

    union all

    select
        customer_id,
        case survey when 'csat' then 'satisfaction_low' else 'effort_high' end
            as alert_event,
        customer_id || ':' || scale_max || ':' || opened_date as event_id,
        opened_date,
        closed_date,
        share as value,
        evidence_ids,
        round(share * 100) || case survey
            when 'csat' then ' % of the ratings were good.'
            else ' % of the answers found it hard.'
        end as evidence

    from {{ ref('int_low_ratings') }}

)

{{ alert_events() }}
