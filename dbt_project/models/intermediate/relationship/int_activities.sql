{{ config(materialized='table') }}

with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

hubspot_tasks as (

    select * from {{ ref('stg_hubspot__tasks') }}

),

files_actions as (

    select * from {{ ref('stg_files__actions') }}

),

meetings as (

    select * from {{ ref('int_meetings') }}

    where outcome = 'completed' and customer_id is not null

),

tickets as (

    select * from {{ ref('int_tickets') }}

    where customer_id is not null and first_reply_at is not null

)

-- A planned activity has no done_at. Only a finished task, a held meeting, a sent
-- message or an answered ticket is done.
select
    'hubspot' as source,
    hubspot_tasks.task_id as activity_id,
    'task' as activity_kind,
    customer_keys.customer_id,
    hubspot_tasks.survey_response_id,
    hubspot_tasks.owner_id,
    hubspot_tasks.created_at,
    hubspot_tasks.due_at,
    hubspot_tasks.completed_at as done_at

from hubspot_tasks
inner join customer_keys on hubspot_tasks.company_id = customer_keys.account_key

union all

select
    'files' as source,
    files_actions.action_id as activity_id,
    files_actions.action_kind as activity_kind,
    customer_keys.customer_id,
    files_actions.response_id as survey_response_id,
    files_actions.owner_id,
    files_actions.created_at,
    files_actions.due_at,
    files_actions.completed_at as done_at

from files_actions
inner join customer_keys on files_actions.account_id = customer_keys.account_key

union all

select
    source,
    meeting_id as activity_id,
    'meeting' as activity_kind,
    customer_id,
    null as survey_response_id,
    csm_id as owner_id,
    null as created_at,
    null as due_at,
    starts_at as done_at

from meetings

union all

select
    source,
    ticket_id as activity_id,
    'ticket' as activity_kind,
    customer_id,
    null as survey_response_id,
    null as owner_id,
    null as created_at,
    null as due_at,
    first_reply_at as done_at

from tickets
