{{ config(materialized='table') }}

with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

contacts as (

    select * from {{ ref('int_contacts') }}

),

hubspot_meetings as (

    select * from {{ ref('stg_hubspot__meetings') }}

),

files_meetings as (

    select * from {{ ref('stg_files__meetings') }}

),

vocabulary as (

    select * from {{ ref('vocabulary') }}

),

unioned as (

    select
        'hubspot' as source,
        meeting_id,
        company_id as account_key,
        owner_id as csm_id,
        contact_ids,
        lower(activity_type) as vendor_kind,
        outcome as vendor_outcome,
        document_url is not null as has_document,
        starts_at

    from hubspot_meetings

    union all

    select
        'files' as source,
        meeting_id,
        account_id as account_key,
        null as csm_id,
        jsonb_build_array(contact_id) as contact_ids,
        lower(meeting_kind) as vendor_kind,
        lower(outcome) as vendor_outcome,
        coalesce(has_document, false) as has_document,
        starts_at

    from files_meetings

),

-- The role is the one of that day's people: whoever had left was not in the room.
decision_makers as (

    select distinct
        unioned.source,
        unioned.meeting_id

    from unioned
    cross join
        lateral jsonb_array_elements_text(unioned.contact_ids)
            as participant (contact_id)
    inner join contacts on participant.contact_id = contacts.contact_id

    where
        contacts.contact_role = 'decision_maker'
        and (
            contacts.left_date is null
            or contacts.left_date > unioned.starts_at::date
        )

)

select
    unioned.source,
    unioned.meeting_id,
    customer_keys.customer_id,
    unioned.account_key,
    unioned.csm_id,
    coalesce(kinds.canonical_value, unioned.vendor_kind, 'other') as meeting_kind,
    coalesce(outcomes.canonical_value, 'unknown') as outcome,
    unioned.has_document,
    decision_makers.meeting_id is not null as has_decision_maker,
    unioned.starts_at::date as meeting_date,
    unioned.starts_at

from unioned
left join customer_keys on unioned.account_key = customer_keys.account_key
left join vocabulary as kinds
    on kinds.field = 'meeting_kind' and unioned.vendor_kind = kinds.vendor_value
left join vocabulary as outcomes
    on
        outcomes.field = 'meeting_outcome'
        and unioned.vendor_outcome = outcomes.vendor_value
left join decision_makers
    on
        unioned.source = decision_makers.source
        and unioned.meeting_id = decision_makers.meeting_id

where unioned.starts_at is not null
