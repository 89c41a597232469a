with

newest as (

    {{ newest_version('files', 'actions') }}

),

renamed as (

    select
        doc ->> 'action_id' as action_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'response_id' as response_id,
        doc ->> 'owner_id' as owner_id,
        doc ->> 'kind' as action_kind,
        (doc ->> 'created_at')::timestamptz as created_at,
        (doc ->> 'due_at')::timestamptz as due_at,
        (doc ->> 'completed_at')::timestamptz as completed_at,
        source_updated_at

    from newest

)

select * from renamed
