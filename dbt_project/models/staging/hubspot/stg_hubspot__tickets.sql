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
        nullif(doc #>> '{properties,createdate}', '')::timestamptz as opened_at,
        nullif(doc #>> '{properties,first_agent_reply_date}', '')::timestamptz
            as first_reply_at,
        nullif(doc #>> '{properties,closed_date}', '')::timestamptz as closed_at,
        source_updated_at

    from newest

)

select * from renamed
