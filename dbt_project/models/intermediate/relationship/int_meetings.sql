{{ config(materialized='table') }}

with

records as (

    select * from {{ ref('int_meeting_records') }}

),

decision_makers as (

    select
        source,
        meeting_id,
        jsonb_agg(contact_id order by contact_id) as decision_maker_ids

    from {{ ref('int_meeting_attendees') }}

    where role = 'decision_maker'

    group by source, meeting_id

)

select
    records.source,
    records.meeting_id,
    records.customer_id,
    records.account_key,
    records.csm_id,
    records.meeting_kind,
    records.outcome,
    records.title,
    records.document_reference,
    records.review_sections,
    records.risk_tags,
    records.next_action,
    records.next_action_owner_id,
    coalesce(decision_makers.decision_maker_ids, '[]'::jsonb) as decision_maker_ids,
    records.has_document,
    decision_makers.meeting_id is not null as has_decision_maker,
    records.next_action_due_date,
    records.meeting_date,
    records.starts_at

from records
left join decision_makers
    on
        records.source = decision_makers.source
        and records.meeting_id = decision_makers.meeting_id
