with

newest as (

    {{ newest_version('hubspot', 'tasks') }}

),

renamed as (

    select
        record_id as task_id,
        doc #>> '{associations,companies,results,0,id}' as company_id,
        nullif(doc #>> '{properties,hubspot_owner_id}', '') as owner_id,
        nullif(doc #>> '{properties,survey_response_id}', '') as survey_response_id,
        nullif(doc #>> '{properties,hs_task_subject}', '') as subject,
        nullif(doc #>> '{properties,document_url}', '') as document_url,
        lower(nullif(doc #>> '{properties,hs_task_status}', '')) as status,
        {{ moment('hs_timestamp') }} as due_at,
        {{ moment('hs_createdate') }} as created_at,
        {{ moment('hs_task_completion_date') }} as completed_at,
        source_updated_at

    from newest

)

select * from renamed
