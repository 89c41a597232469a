with

newest as (

    {{ newest_version('files', 'meetings') }}

),

renamed as (

    select
        doc ->> 'meeting_id' as meeting_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'owner_id' as owner_id,
        doc ->> 'contact_id' as contact_id,
        to_jsonb(regexp_split_to_array(
            nullif(trim(doc ->> 'contact_ids'), ''), '\s*;\s*'
        )) as contact_ids,
        doc ->> 'title' as title,
        doc ->> 'kind' as meeting_kind,
        doc ->> 'outcome' as outcome,
        doc ->> 'document_id' as document_id,
        {{ listed("doc ->> 'review_sections'") }} as review_sections,
        {{ listed("doc ->> 'risk_tags'") }} as risk_tags,
        doc ->> 'next_action' as next_action,
        doc ->> 'next_action_owner_id' as next_action_owner_id,
        ops.try_boolean(doc ->> 'has_document') as has_document,
        ops.try_date(doc ->> 'next_action_due_on') as next_action_due_date,
        ops.try_timestamptz(doc ->> 'starts_at') as starts_at,
        source_updated_at

    from newest

)

select * from renamed
