with

newest as (

    {{ newest_version('hubspot', 'tickets') }}

),

renamed as (

    select
        record_id as ticket_id,
        doc #>> '{associations,companies,results,0,id}' as company_id,
        nullif(doc #>> '{properties,subject}', '') as subject,
        lower(nullif(doc #>> '{properties,hs_ticket_priority}', '')) as priority,
        nullif(doc #>> '{properties,source_type}', '') as channel,
        nullif(doc #>> '{properties,hs_ticket_category}', '') as category,
        nullif(doc #>> '{properties,hs_pipeline_stage}', '') as pipeline_stage,
        {{ moment('createdate') }} as opened_at,
        {{ moment('first_agent_reply_date') }} as first_reply_at,
        {{ moment('closed_date') }} as closed_at,
        source_updated_at

    from newest

)

select * from renamed
