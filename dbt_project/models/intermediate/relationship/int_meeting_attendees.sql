{{ config(materialized='table') }}

with

meetings as (

    select * from {{ ref('int_meeting_records') }}

),

roles as (

    select * from {{ ref('int_contact_role_ranges') }}

),

invited as (

    select distinct
        meetings.source,
        meetings.meeting_id,
        meetings.customer_id,
        attendee.contact_id,
        meetings.outcome,
        meetings.meeting_date

    from meetings
    cross join
        lateral jsonb_array_elements_text(meetings.contact_ids)
            as attendee (contact_id)

)

-- Exclude contacts that had left by then; the role is the one of that day.
select
    invited.source,
    invited.meeting_id,
    invited.customer_id,
    invited.contact_id,
    roles.role,
    invited.outcome,
    invited.meeting_date

from invited
left join roles
    on
        invited.contact_id = roles.contact_id
        and invited.meeting_date >= roles.starts_date
        and invited.meeting_date < roles.ends_date
