-- A promoter counts 100, a passive 0 and a detractor -100; the mean of these is NPS. A
-- vendor's gauge averaged the raw scores instead and showed 9.07 in place of 63.
with

monthly as (

    select * from {{ ref('fct_survey_monthly') }}

    where survey = 'nps' and segment = 'all'

),

averaged as (

    select
        month,
        avg(net_points)::numeric(6, 2) as true_nps

    from {{ ref('int_survey_responses_by_month') }}

    where survey = 'nps' and is_voice

    group by month

)

select monthly.month

from monthly
left join averaged on monthly.month = averaged.month

where monthly.nps is distinct from averaged.true_nps
