with

customer_months as (

    select * from {{ ref('int_retention_by_customer_month') }}

    where is_kept

),

responses as (

    select * from {{ ref('int_survey_responses') }}

    where is_valid and customer_id is not null

),

invites as (

    select * from {{ ref('int_survey_invites') }}

),

months as (

    select * from {{ ref('int_months') }}

),

surveys as (

    select distinct survey from responses

    union distinct

    select distinct survey from invites

),

-- An answer counts in each month whose window contains it.
heard as (

    select
        months.month,
        responses.customer_id,
        responses.survey,
        bool_or(responses.answered_date >= months.month) as is_heard_in_month

    from responses
    inner join months
        on
            responses.answered_date <= months.closing_date
            and responses.answered_date
            > months.closing_date - {{ policy('survey_window_days', 'int') }}

    group by months.month, responses.customer_id, responses.survey

),

first_answers as (

    select
        customer_id,
        survey,
        min(answered_date) as first_answer_date

    from responses

    group by customer_id, survey

),

-- The day of the invitation from which a customer without answers is silent.
asked as (

    select
        customer_id,
        survey,
        min(invited_date) as first_invited_date,
        min(invited_date) filter (
            where invites_so_far >= {{ policy('silent_after_invites', 'int') }}
        ) as silent_from_date

    from (
        select
            *,
            sum(invite_count) over (
                partition by customer_id, survey
                order by invited_date
            ) as invites_so_far

        from invites
    ) as running

    group by customer_id, survey

)

select
    months.month,
    surveys.survey,
    customer_months.customer_id,
    customer_months.segment,
    customer_months.closing_amount as mrr_amount,
    heard.customer_id is not null as is_heard_in_window,
    coalesce(heard.is_heard_in_month, false) as is_heard_in_month,
    -- An answer implies an invitation, even without a record of one.
    least(asked.first_invited_date, first_answers.first_answer_date)
    <= months.closing_date as is_asked,
    coalesce(
        asked.silent_from_date <= months.closing_date
        and (
            first_answers.first_answer_date is null
            or first_answers.first_answer_date > months.closing_date
        ), false
    ) as is_silent

from customer_months
inner join months on customer_months.month = months.month
cross join surveys
left join heard
    on
        customer_months.month = heard.month
        and customer_months.customer_id = heard.customer_id
        and surveys.survey = heard.survey
left join first_answers
    on
        customer_months.customer_id = first_answers.customer_id
        and surveys.survey = first_answers.survey
left join asked
    on
        customer_months.customer_id = asked.customer_id
        and surveys.survey = asked.survey
