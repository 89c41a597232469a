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
        {{ listed("doc #>> '{properties,review_sections}'") }} as review_sections,
        {{ listed("doc #>> '{properties,risk_tags}'") }} as risk_tags,
        nullif(doc #>> '{properties,next_action}', '') as next_action,
        nullif(doc #>> '{properties,next_action_owner}', '') as next_action_owner_id,
        ({{ moment('next_action_due_on') }})::date as next_action_due_date,
        {{ moment('hs_meeting_start_time') }} as starts_at,
        {{ moment('hs_createdate') }} as created_at,
        source_updated_at

    from newest

)

select * from renamed
