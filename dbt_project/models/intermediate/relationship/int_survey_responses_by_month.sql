with

responses as (

    select * from {{ ref('int_survey_responses') }}

    where is_valid and customer_id is not null

),

customers as (

    select * from {{ ref('int_customers') }}

),

months as (

    select * from {{ ref('int_months') }}

),

-- Who answers twice in a month has one voice: the last word counts.
last_words as (

    select distinct on (months.month, responses.survey, responses.respondent_key)
        months.month,
        responses.survey,
        responses.respondent_key,
        responses.customer_id,
        responses.score,
        coalesce(trim(responses.reason) != '', false) as has_reason,
        count(*) over (
            partition by months.month, responses.survey, responses.respondent_key
        ) as response_count

    from responses
    inner join months
        on date_trunc('month', responses.answered_date)::date = months.month

    order by
        months.month asc,
        responses.survey asc,
        responses.respondent_key asc,
        responses.answered_at desc,
        responses.response_id desc

)

select
    last_words.*,
    customers.segment

from last_words
inner join customers on last_words.customer_id = customers.customer_id
