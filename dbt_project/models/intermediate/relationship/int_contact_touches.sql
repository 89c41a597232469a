{{ config(materialized='table') }}

with

roles as (

    select * from {{ ref('int_contact_roles') }}

),

attendees as (

    select * from {{ ref('int_meeting_attendees') }}

    where
        outcome = 'completed'
        and role is not null
        and customer_id is not null
        and meeting_date <= {{ as_of() }}

),

answers as (

    select * from {{ ref('int_survey_responses') }}

    where
        is_valid
        and contact_id is not null
        and customer_id is not null
        and answered_date <= {{ as_of() }}

)

select
    customer_id,
    contact_id,
    role,
    'meeting' as touch_kind,
    meeting_id as touch_id,
    meeting_date as touch_date

from attendees

union all

select
    answers.customer_id,
    answers.contact_id,
    roles.role,
    'survey' as touch_kind,
    answers.response_id as touch_id,
    answers.answered_date as touch_date

from answers
inner join roles
    on
        answers.contact_id = roles.contact_id
        and answers.answered_date >= roles.starts_date
        and (roles.ends_date is null or answers.answered_date < roles.ends_date)
