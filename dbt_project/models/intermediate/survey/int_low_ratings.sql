with

responses as (

    select * from {{ ref('int_survey_responses') }}

    where
        survey in ('csat', 'ces')
        and is_valid
        and customer_id is not null
        and answered_date <= {{ as_of() }}

),

-- A window of ninety days up to each answer, per scale.
windows as (

    select
        *,
        count(*) over ninety_days as answers,
        count(*) filter (where answer_class = 'promoter') over ninety_days as best,
        count(*) filter (where answer_class = 'detractor') over ninety_days as worst

    from responses

    window ninety_days as (
        partition by customer_id, survey, scale_max
        order by answered_date
        range between interval '89 days' preceding and current row
    )

),

days as (

    select
        customer_id,
        survey,
        scale_max,
        answered_date,
        min(case survey when 'csat' then best else worst end::numeric / answers)
            as share,
        array_agg('response:' || response_id order by response_id) as evidence_ids,
        bool_or(
            answers >= {{ policy('low_survey_min_answers', 'int') }}
            and case survey
                when 'csat' then best < answers * {{ policy('low_csat_share') }}
                else worst >= answers * {{ policy('low_ces_share') }}
            end
        ) as is_low

    from windows

    group by customer_id, survey, scale_max, answered_date

),

changes as (

    select
        *,
        lag(is_low, 1, false) over by_day as was_low,
        min(answered_date) filter (where not is_low) over (
            by_day rows between 1 following and unbounded following
        ) as closed_date

    from days

    window by_day as (
        partition by customer_id, survey, scale_max
        order by answered_date
    )

)

select
    customer_id,
    survey,
    scale_max,
    share,
    evidence_ids,
    answered_date as opened_date,
    closed_date

from changes

where is_low and not was_low
