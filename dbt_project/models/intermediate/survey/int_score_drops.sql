{{ config(materialized='table') }}

with

answers as (

    select
        *,
        lag(response_id) over same_respondent as own_response_id,
        lag(response_id) over same_role as role_response_id

    from {{ ref('int_survey_responses') }}

    where {{ is_nps_answer() }}

    window
        same_respondent as (
            partition by customer_id, respondent_key
            order by answered_at, response_id
        ),
        same_role as (
            partition by customer_id, contact_role
            order by answered_at, response_id
        )

),

customers as (

    select * from {{ ref('int_customers') }}

),

-- A first answer is compared with the last answer of the same role.
compared as (

    select
        answers.*,
        earlier.response_id as earlier_response_id,
        earlier.score as earlier_score,
        earlier.answer_class as earlier_class,
        earlier.answered_date as earlier_date,
        case
            when answers.own_response_id is not null then 'same_respondent'
            else 'same_role'
        end as compared_with

    from answers
    inner join answers as earlier
        on
            answers.source = earlier.source
            and answers.customer_id = earlier.customer_id
            and coalesce(
                answers.own_response_id,
                case
                    when answers.contact_role is not null then answers.role_response_id
                end
            )
            = earlier.response_id

),

dropped as (

    select * from compared

    where
        earlier_score - score >= {{ policy('score_drop_points') }}
        or (earlier_class = 'promoter' and answer_class != 'promoter')

),

recovered as (

    select
        dropped.source,
        dropped.response_id,
        min(answers.answered_date) as recovered_date

    from dropped
    inner join answers
        on
            dropped.customer_id = answers.customer_id
            and dropped.respondent_key = answers.respondent_key
            and dropped.answered_at < answers.answered_at
            and dropped.earlier_score <= answers.score

    group by dropped.source, dropped.response_id

)

select
    dropped.source,
    dropped.response_id,
    dropped.earlier_response_id,
    dropped.customer_id,
    customers.segment,
    dropped.contact_id,
    dropped.contact_role,
    dropped.compared_with,
    dropped.earlier_score,
    dropped.score,
    (dropped.earlier_score - dropped.score)::numeric(6, 2) as drop_points,
    dropped.earlier_class,
    dropped.answer_class,
    -- A drop to 7 or 8 is easily overlooked.
    dropped.answer_class != 'detractor' as is_still_ok,
    dropped.earlier_date,
    dropped.answered_date,
    recovered.recovered_date

from dropped
inner join customers on dropped.customer_id = customers.customer_id
left join recovered
    on
        dropped.source = recovered.source
        and dropped.response_id = recovered.response_id
