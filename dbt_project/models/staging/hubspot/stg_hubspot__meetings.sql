with

newest as (

    {{ newest_version('hubspot', 'meetings') }}

),

renamed as (

    select
        record_id as meeting_id,
        doc #>> '{associations,companies,results,0,id}' as company_id,
        jsonb_path_query_array(
            doc, '$.associations.contacts.results[*].id'
        ) as contact_ids,
        nullif(doc #>> '{properties,hubspot_owner_id}', '') as owner_id,
        nullif(doc #>> '{properties,hs_meeting_title}', '') as title,
        nullif(doc #>> '{properties,hs_activity_type}', '') as activity_type,
        lower(nullif(doc #>> '{properties,hs_meeting_outcome}', '')) as outcome,
        nullif(doc #>> '{properties,document_url}', '') as document_url,
        {{ moment('hs_meeting_start_time') }} as starts_at,
        {{ moment('hs_createdate') }} as created_at,
        source_updated_at

    from newest

)

select * from renamed
