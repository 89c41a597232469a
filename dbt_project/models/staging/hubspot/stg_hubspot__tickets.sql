with

tickets as (

    {{ tickets_with_opening_priority(
        'hubspot',
        "lower(nullif(doc #>> '{properties,hs_ticket_priority}', ''))"
    ) }}

),

renamed as (

    select
        record_id as ticket_id,
        doc #>> '{associations,companies,results,0,id}' as company_id,
        nullif(doc #>> '{properties,subject}', '') as subject,
        lower(nullif(doc #>> '{properties,hs_ticket_priority}', '')) as priority,
        nullif(doc #>> '{properties,source_type}', '') as channel,
        opening_priority,
        nullif(doc #>> '{properties,hs_ticket_category}', '') as category,
        nullif(doc #>> '{properties,hs_pipeline_stage}', '') as pipeline_stage,
        nullif(doc #>> '{properties,hs_conversations_originating_thread_id}', '')
            as thread_id,
        ({{ moment('prioritized_on') }})::date as prioritized_date,
        ({{ moment('implemented_on') }})::date as implemented_date,
        ({{ moment('customer_informed_on') }})::date as informed_date,
        {{ moment('createdate') }} as opened_at,
        {{ moment('first_agent_reply_date') }} as first_reply_at,
        {{ moment('first_auto_reply_date') }} as first_auto_reply_at,
        {{ moment('closed_date') }} as closed_at,
        source_updated_at

    from tickets

)

select * from renamed
