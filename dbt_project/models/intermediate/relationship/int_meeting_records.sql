{{ config(materialized='table') }}

with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

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
        title,
        lower(activity_type) as vendor_kind,
        outcome as vendor_outcome,
        document_url as document_reference,
        review_sections,
        risk_tags,
        next_action,
        next_action_owner_id,
        document_url is not null as has_document,
        next_action_due_date,
        starts_at

    from hubspot_meetings

    union all

    select
        'files' as source,
        meeting_id,
        account_id as account_key,
        owner_id as csm_id,
        jsonb_path_query_array(
            jsonb_build_array(contact_id) || coalesce(contact_ids, '[]'),
            '$[*] ? (@ != null)'
        ) as contact_ids,
        title,
        lower(meeting_kind) as vendor_kind,
        lower(outcome) as vendor_outcome,
        document_id as document_reference,
        review_sections,
        risk_tags,
        next_action,
        next_action_owner_id,
        coalesce(has_document, document_id is not null) as has_document,
        next_action_due_date,
        starts_at

    from files_meetings

)

select
    unioned.source,
    unioned.meeting_id,
    customer_keys.customer_id,
    unioned.account_key,
    unioned.csm_id,
    coalesce(kinds.canonical_value, unioned.vendor_kind, 'other') as meeting_kind,
    coalesce(outcomes.canonical_value, 'unknown') as outcome,
    unioned.title,
    unioned.contact_ids,
    unioned.document_reference,
    unioned.review_sections,
    unioned.risk_tags,
    unioned.next_action,
    unioned.next_action_owner_id,
    unioned.has_document,
    unioned.next_action_due_date,
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

where unioned.starts_at is not null
