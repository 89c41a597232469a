with

newest as (

    {{ newest_version('files', 'goals') }}

),

renamed as (

    select
        doc ->> 'goal_id' as goal_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'name' as goal_name,
        doc ->> 'status' as status,
        (doc ->> 'baseline')::numeric(18, 4) as baseline,
        (doc ->> 'target')::numeric(18, 4) as target,
        (doc ->> 'current_value')::numeric(18, 4) as current_value,
        (doc ->> 'due_on')::date as due_date,
        (doc ->> 'closed_on')::date as closed_date,
        (doc ->> 'created_on')::date as created_date,
        source_updated_at

    from newest

)

select * from renamed
