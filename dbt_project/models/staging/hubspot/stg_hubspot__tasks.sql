with

newest as (

    {{ newest_version('hubspot', 'tasks') }}

),

renamed as (

    select
        record_id as task_id,
        doc #>> '{associations,companies,results,0,id}' as company_id,
        nullif(doc #>> '{properties,hubspot_owner_id}', '') as owner_id,
        nullif(doc #>> '{properties,hs_task_subject}', '') as subject,
        lower(nullif(doc #>> '{properties,hs_task_status}', '')) as status,
        nullif(doc #>> '{properties,hs_timestamp}', '')::timestamptz as due_at,
        nullif(doc #>> '{properties,hs_createdate}', '')::timestamptz as created_at,
        nullif(doc #>> '{properties,hs_task_completion_date}', '')::timestamptz
            as completed_at,
        source_updated_at

    from newest

)

select * from renamed
