with

responses as (

    select * from {{ ref('int_survey_responses_by_month') }}

),

surveys as (

    select * from {{ ref('surveys') }}

),

active_customers as (

    select
        month,
        segment,
        closing_customers

    from {{ ref('int_retention_by_month') }}

),

recoveries as (

    select * from {{ ref('int_detractor_sla_by_month') }}

),

counted as (

    select
        responses.month,
        responses.survey,
        coalesce(responses.segment, 'all') as segment,
        count(*) as respondents,
        sum(responses.response_count)::bigint as responses,
        count(distinct responses.customer_id) as customers_heard,
        count(*) filter (where responses.score >= surveys.promoter_from) as promoters,
        count(*) filter (
            where
            responses.score < surveys.promoter_from
            and responses.score > surveys.detractor_to
        ) as passives,
        count(*) filter (where responses.score <= surveys.detractor_to) as detractors,
        count(*) filter (where responses.has_reason) as respondents_with_reason,
        avg(responses.score)::numeric(6, 2) as mean_score,
        max(surveys.scale_max)::numeric(6, 2) as scale_max

    from responses
    inner join surveys on responses.survey = surveys.survey

    group by grouping sets (
        (responses.month, responses.survey),
        (responses.month, responses.survey, responses.segment)
    )

),

-- The three rates are different questions, so each survey has its own column.
rates as (

    select
        *,
        case
            when survey = 'nps'
                then (promoters - detractors) * 100.0 / respondents
        end::numeric(6, 2) as nps,
        case when survey = 'csat' then promoters::numeric / respondents end::numeric(
            9, 6
        )
            as csat_rate,
        case when survey = 'ces' then mean_score end::numeric(6, 2) as ces_score

    from counted

)

select
    rates.month,
    rates.survey,
    rates.segment,
    rates.respondents,
    rates.responses,
    rates.promoters,
    rates.passives,
    rates.detractors,
    rates.nps,
    rates.csat_rate,
    rates.ces_score,
    rates.mean_score,
    rates.scale_max,
    rates.respondents_with_reason,
    rates.customers_heard,
    active_customers.closing_customers as active_customers,
    (
        rates.customers_heard::numeric / nullif(active_customers.closing_customers, 0)
    )::numeric(9, 6)
        as response_coverage,
    recoveries.detractors_due,
    recoveries.detractors_in_time,
    recoveries.median_action_hours

from rates
left join active_customers
    on
        rates.month = active_customers.month
        and rates.segment = active_customers.segment
left join recoveries
    on
        rates.survey = 'nps'
        and rates.month = recoveries.month
        and rates.segment = recoveries.segment
