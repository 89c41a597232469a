with

newest as (

    {{ newest_version('hubspot', 'goals') }}

),

renamed as (

    select
        record_id as goal_id,
        doc #>> '{associations,companies,results,0,id}' as company_id,
        nullif(doc #>> '{properties,goal_name}', '') as goal_name,
        lower(nullif(doc #>> '{properties,status}', '')) as status,
        {{ decimal("doc #>> '{properties,baseline}'", 18, 4) }} as baseline,
        {{ decimal("doc #>> '{properties,target}'", 18, 4) }} as target,
        {{ decimal("doc #>> '{properties,current_value}'", 18, 4) }}
            as current_value,
        ({{ moment('due_on') }})::date as due_date,
        ({{ moment('closed_on') }})::date as closed_date,
        {{ moment('hs_createdate') }} as created_at,
        source_updated_at

    from newest

)

select * from renamed
