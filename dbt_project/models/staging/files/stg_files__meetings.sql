with

newest as (

    {{ newest_version('files', 'meetings') }}

),

renamed as (

    select
        doc ->> 'meeting_id' as meeting_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'contact_id' as contact_id,
        doc ->> 'kind' as meeting_kind,
        doc ->> 'outcome' as outcome,
        (doc ->> 'has_document')::boolean as has_document,
        (doc ->> 'starts_at')::timestamptz as starts_at,
        source_updated_at

    from newest

)

select * from renamed
