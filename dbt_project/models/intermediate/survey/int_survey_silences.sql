with

answers as (

    select distinct
        customer_id,
        answered_date,
        lead(answered_date) over (
            partition by customer_id
            order by answered_date, response_id
        ) as next_date

    from {{ ref('int_survey_responses') }}

    where {{ is_nps_answer() }}

),

first_answers as (

    select
        customer_id,
        min(answered_date) as first_answer_date

    from answers

    group by customer_id

),

invites as (

    select
        customer_id,
        invited_date,
        sum(invite_count) over (
            partition by customer_id
            order by invited_date
        ) as invites_so_far

    from {{ ref('int_survey_invites') }}

    where survey = 'nps'

),

-- Invited often enough without any answer.
silent as (

    select distinct on (invites.customer_id)
        invites.customer_id,
        'customer_silent' as alert_event,
        invites.invited_date as opened_date,
        first_answers.first_answer_date as closed_date,
        invites.invites_so_far as value

    from invites
    left join first_answers on invites.customer_id = first_answers.customer_id

    where
        invites.invites_so_far >= {{ policy('silent_after_invites', 'int') }}
        and (
            first_answers.first_answer_date is null
            or invites.invited_date < first_answers.first_answer_date
        )

    order by invites.customer_id asc, invites.invited_date asc

),

-- Answered before, but not within a window since.
broken as (

    select
        customer_id,
        'survey_rhythm_broken' as alert_event,
        answered_date + {{ policy('survey_window_days', 'int') }} as opened_date,
        next_date as closed_date,
        coalesce(next_date, {{ as_of() }}) - answered_date as value

    from answers

    where
        coalesce(next_date, {{ as_of() }} + 1) - answered_date
        > {{ policy('survey_window_days', 'int') }}

)

select * from silent

union all

select * from broken
