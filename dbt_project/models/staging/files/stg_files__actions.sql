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
        ops.try_timestamptz(doc ->> 'created_at') as created_at,
        ops.try_timestamptz(doc ->> 'due_at') as due_at,
        ops.try_timestamptz(doc ->> 'completed_at') as completed_at,
        source_updated_at

    from newest

)

select * from renamed
