{{ config(materialized='table') }}

with

responses as (

    select * from {{ ref('int_survey_responses_by_month') }}

    where is_voice

),

counted as (

    select
        month,
        customer_id,
        survey,
        scale_max,
        max(segment) as segment,
        count(*) as respondents,
        count(*) filter (where answer_class = 'promoter') as promoters,
        count(*) filter (where answer_class = 'passive') as passives,
        count(*) filter (where answer_class = 'detractor') as detractors,
        avg(score)::numeric(6, 2) as mean_score,
        avg(score) filter (where contact_role = 'decision_maker')::numeric(6, 2)
            as decision_maker_mean_score,
        avg(score) filter (where contact_role = 'user')::numeric(6, 2)
            as user_mean_score,
        array_agg(response_id order by response_id) as response_ids

    from responses

    group by month, customer_id, survey, scale_max

),

trended as (

    select
        *,
        {{ score_trend('customer_id, survey, scale_max') }}

    from counted

)

select
    month,
    customer_id,
    survey,
    scale_max,
    segment,
    respondents,
    promoters,
    passives,
    detractors,
    case
        when survey = 'nps' then (promoters - detractors) * 100.0 / respondents
    end::numeric(6, 2) as nps,
    mean_score,
    mean_score_fall,
    mean_score_slope,
    mean_score_fall >= {{ policy('score_fall_points') }} as is_score_falling,
    decision_maker_mean_score,
    user_mean_score,
    response_ids

from trended
