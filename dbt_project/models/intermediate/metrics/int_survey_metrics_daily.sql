with

customer_days as (

    select * from {{ ref('int_customer_days_to_score') }}

),

responses as (

    select
        *,
        lag(score) over (
            partition by customer_id, survey, respondent_key
            order by answered_at, response_id
        ) as earlier_score

    from {{ ref('int_survey_responses') }}

    where is_valid and customer_id is not null

),

-- Blocks of thirty days counted back from the day: block 0 is the newest.
blocks as (

    select
        customer_days.customer_id,
        customer_days.as_of_date,
        responses.survey,
        (customer_days.as_of_date - responses.answered_date) / 30 as block,
        avg(responses.score) as mean_score,
        count(*) as response_count,
        count(*) filter (where responses.answer_class = 'promoter') as top_count,
        max(responses.earlier_score - responses.score) as largest_drop,
        max(responses.answered_date) as last_date

    from customer_days
    inner join responses
        on
            customer_days.customer_id = responses.customer_id
            and customer_days.as_of_date >= responses.answered_date
            and customer_days.as_of_date - responses.answered_date < 120

    group by
        customer_days.customer_id,
        customer_days.as_of_date,
        responses.survey,
        (customer_days.as_of_date - responses.answered_date) / 30

)

select
    customer_id,
    as_of_date,
    (
        sum(mean_score * response_count) filter (where survey = 'nps' and block < 3)
        / sum(response_count) filter (where survey = 'nps' and block < 3)
    )::numeric(6, 2) as mean_nps_score,
    (
        max(mean_score) filter (where survey = 'nps' and block between 1 and 3)
        - max(mean_score) filter (where survey = 'nps' and block = 0)
    )::numeric(6, 2) as nps_score_drop,
    (max(largest_drop) filter (where survey = 'nps' and block < 3))::numeric(6, 2)
        as respondent_score_drop,
    (
        sum(top_count) filter (where survey = 'csat' and block < 3)
        / sum(response_count) filter (where survey = 'csat' and block < 3)
    )::numeric(9, 4) as csat_share,
    max(last_date) filter (where survey = 'nps') as nps_observed_date,
    max(last_date) filter (where survey = 'csat') as csat_observed_date

from blocks

group by customer_id, as_of_date
