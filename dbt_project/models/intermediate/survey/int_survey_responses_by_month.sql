with

responses as (

    select * from {{ ref('int_survey_responses') }}

    where customer_id is not null and scale_max is not null

),

customers as (

    select * from {{ ref('int_customers') }}

),

months as (

    select * from {{ ref('int_months') }}

)

-- The last valid answer of a respondent in a month counts. Blank answers and answers
-- off the scale are only counted. NPS is the mean of net_points, not of the scores.
select
    months.month,
    responses.response_id,
    responses.survey,
    responses.scale_max,
    responses.respondent_key,
    responses.contact_role,
    responses.customer_id,
    customers.segment,
    responses.score,
    responses.answer_class,
    case responses.answer_class
        when 'promoter' then 100
        when 'detractor' then -100
        when 'passive' then 0
    end as net_points,
    coalesce(trim(responses.reason) != '', false) as has_reason,
    coalesce(trim(responses.next_step) != '', false) as has_next_step,
    responses.is_valid,
    responses.score is null as is_blank,
    responses.is_valid and row_number() over (
        partition by
            months.month,
            responses.survey,
            responses.scale_max,
            responses.respondent_key,
            responses.is_valid
        order by responses.answered_at desc, responses.response_id desc
    ) = 1 as is_voice

from responses
inner join customers on responses.customer_id = customers.customer_id
inner join months
    on date_trunc('month', responses.answered_date)::date = months.month
