with

meetings as (

    select * from {{ ref('int_meetings') }}

    where customer_id is not null and meeting_date <= {{ as_of() }}

),

tickets as (

    select * from {{ ref('int_tickets') }}

    where customer_id is not null and opened_date <= {{ as_of() }}

),

contacts as (

    select * from {{ ref('int_contacts') }}

    where customer_id is not null and left_date <= {{ as_of() }}

),

activities as (

    select * from {{ ref('int_activities') }}

    where activity_kind = 'task' and done_at::date <= {{ as_of() }}

)

-- A held meeting is our activity (done); a meeting that did not take place is an event.
select
    customer_id,
    meeting_date as event_date,
    'crm' as source,
    case when outcome = 'completed' then 'done' else 'happened' end as part,
    'meeting' as kind,
    replace(meeting_kind, '_', ' ')
    || case when has_decision_maker then ' with a decision maker' else '' end
    || case outcome
        when 'completed' then ' held'
        when 'canceled' then ' cancelled'
        when 'no_show' then ': nobody came'
        when 'rescheduled' then ' moved to another day'
        else ', outcome not entered'
    end
    || case when outcome = 'completed' and has_document then ', documented' else '' end
        as sentence,
    array['meeting:' || meeting_id] as evidence_ids

from meetings

union all

select
    customer_id,
    opened_date as event_date,
    'crm' as source,
    'happened' as part,
    'ticket' as kind,
    'ticket opened'
    || coalesce(', priority ' || lower(priority), '')
    || case
        when first_reply_hours is null then ', no reply yet'
        else ', first reply after ' || round(first_reply_hours, 1) || ' hours'
    end as sentence,
    array['ticket:' || ticket_id] as evidence_ids

from tickets

union all

select
    customer_id,
    left_date as event_date,
    'crm' as source,
    'happened' as part,
    'contact_left' as kind,
    'a contact left'
    || coalesce(' (' || replace(contact_role, '_', ' ') || ')', '') as sentence,
    array['contact:' || contact_id] as evidence_ids

from contacts

union all

select
    customer_id,
    done_at::date as event_date,
    'crm' as source,
    'done' as part,
    'task' as kind,
    case
        when survey_response_id is null then 'task done'
        else 'task done about a survey answer'
    end as sentence,
    case
        when survey_response_id is null
            then array[
                'task:' || to_char(done_at at time zone 'utc', 'YYYY-MM-DD HH24:MI')
            ]
        else array['response:' || survey_response_id]
    end as evidence_ids

from activities
