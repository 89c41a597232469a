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
        {{ decimal("doc ->> 'baseline'", 18, 4) }} as baseline,
        {{ decimal("doc ->> 'target'", 18, 4) }} as target,
        {{ decimal("doc ->> 'current_value'", 18, 4) }} as current_value,
        ops.try_date(doc ->> 'due_on') as due_date,
        ops.try_date(doc ->> 'closed_on') as closed_date,
        ops.try_date(doc ->> 'created_on') as created_date,
        source_updated_at

    from newest

)

select * from renamed
