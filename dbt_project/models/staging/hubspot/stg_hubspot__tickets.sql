with

newest as (

    {{ newest_version('hubspot', 'tickets') }}

),

-- A service level is promised for the priority that the ticket came with, and a ticket
-- that waits is often raised later.
first_seen as (

    select distinct on (record_id)
        record_id,
        lower(nullif(doc #>> '{properties,hs_ticket_priority}', '')) as opening_priority

    from {{ source('hubspot', 'tickets') }}

    where loaded_at <= {{ known_at() }}

    order by record_id, source_updated_at nulls last, loaded_at, version_id

),

joined as (

    select
        newest.*,
        first_seen.opening_priority

    from newest
    inner join first_seen on newest.record_id = first_seen.record_id

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

    from joined

)

select * from renamed
