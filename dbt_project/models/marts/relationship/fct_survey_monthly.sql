with

responses as (

    select * from {{ ref('int_survey_responses_by_month') }}

),

reach as (

    select * from {{ ref('int_survey_reach_by_month') }}

),

recoveries as (

    select * from {{ ref('int_detractor_recoveries_by_month') }}

),

counted as (

    select
        month,
        survey,
        scale_max,
        coalesce(segment, 'all') as segment,
        count(*) filter (where is_voice) as respondents,
        count(*) filter (where is_valid) as responses,
        count(*) filter (where is_blank) as blank_responses,
        count(*) filter (where not is_valid and not is_blank) as refused_responses,
        {% for class in ['promoter', 'passive', 'detractor'] -%}
        count(*) filter (where is_voice and answer_class = '{{ class }}')
            as {{ class }}s,
        {% endfor -%}
        {% for role in ['decision_maker', 'user'] -%}
        count(*) filter (where is_voice and contact_role = '{{ role }}')
            as {{ role }}_respondents,
        avg(net_points) filter (where is_voice and contact_role = '{{ role }}')
            as {{ role }}_net,
        {% endfor -%}
        count(*) filter (where is_voice and has_reason) as respondents_with_reason,
        count(*) filter (where is_voice and has_next_step)
            as respondents_with_next_step,
        count(distinct customer_id) filter (where is_voice) as customers_heard,
        avg(score) filter (where is_voice)::numeric(6, 2) as mean_score

    from responses

    group by grouping sets (
        (month, survey, scale_max),
        (month, survey, scale_max, segment)
    )

),

reached as (

    select
        month,
        survey,
        coalesce(segment, 'all') as segment,
        count(*) as active_customers,
        count(*) filter (where is_heard_in_month) as active_customers_heard,
        count(*) filter (where is_asked) as asked_customers,
        count(*) filter (where is_asked and is_heard_in_window)
            as asked_customers_heard,
        count(*) filter (where is_silent) as silent_customers,
        sum(mrr_amount)::numeric(18, 4) as active_mrr_amount,
        coalesce(sum(mrr_amount) filter (where is_heard_in_window), 0)::numeric(18, 4)
            as heard_mrr_amount,
        coalesce(sum(mrr_amount) filter (where is_silent), 0)::numeric(18, 4)
            as silent_mrr_amount

    from reach

    group by grouping sets ((month, survey), (month, survey, segment))

),

trended as (

    select
        *,
        {{ nps_interval('promoters', 'detractors', 'respondents') }},
        {{ score_trend('survey, scale_max, segment') }}

    from counted

    where respondents > 0

)

-- Each survey has its own rate column: a satisfaction question from 0 to 10 is not NPS.
select
    trended.month,
    trended.survey,
    trended.scale_max,
    trended.segment,
    trended.respondents,
    trended.responses,
    trended.blank_responses,
    trended.refused_responses,
    trended.promoters,
    trended.passives,
    trended.detractors,
    {% for column in ['nps', 'nps_low', 'nps_high'] -%}
    case when trended.survey = 'nps' then trended.{{ column }} end::numeric(6, 2)
        as {{ column }},
    {% endfor -%}
    case
        when trended.survey = 'csat'
            then trended.promoters::numeric / trended.respondents
    end::numeric(9, 6) as csat_rate,
    case when trended.survey = 'ces' then trended.mean_score end::numeric(6, 2)
        as ces_score,
    trended.mean_score,
    trended.mean_score_fall,
    trended.mean_score_slope,
    trended.mean_score_fall >= {{ policy('score_fall_points') }} as is_score_falling,
    {% for role in ['decision_maker', 'user'] -%}
    trended.{{ role }}_respondents,
    case when trended.survey = 'nps' then trended.{{ role }}_net end::numeric(6, 2)
        as {{ role }}_nps,
    {% endfor -%}
    case
        when trended.survey = 'nps' then trended.decision_maker_net - trended.user_net
    end::numeric(6, 2) as role_gap_nps,
    trended.respondents_with_reason,
    trended.respondents_with_next_step,
    trended.customers_heard,
    reached.active_customers,
    (
        reached.active_customers_heard::numeric / nullif(reached.active_customers, 0)
    )::numeric(9, 6) as response_coverage,
    (reached.heard_mrr_amount / nullif(reached.active_mrr_amount, 0))::numeric(9, 6)
        as mrr_coverage,
    reached.asked_customers,
    (
        reached.asked_customers_heard::numeric / nullif(reached.asked_customers, 0)
    )::numeric(9, 6) as asked_coverage,
    reached.silent_customers,
    reached.silent_mrr_amount,
    recoveries.detractors_due,
    recoveries.detractors_in_time,
    recoveries.median_action_hours

from trended
left join reached
    on
        trended.month = reached.month
        and trended.survey = reached.survey
        and trended.segment = reached.segment
left join recoveries
    on
        trended.survey = 'nps'
        and trended.month = recoveries.month
        and trended.segment = recoveries.segment
