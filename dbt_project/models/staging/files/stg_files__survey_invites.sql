with

newest as (

    {{ newest_version('files', 'survey_invites') }}

),

renamed as (

    select
        doc ->> 'invite_id' as invite_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'contact_id' as contact_id,
        doc ->> 'survey' as survey,
        ops.try_date(doc ->> 'invited_on') as invited_date,
        source_updated_at

    from newest

)

select * from renamed
