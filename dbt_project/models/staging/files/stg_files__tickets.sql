with

newest as (

    {{ newest_version('files', 'tickets') }}

),

-- A service level is promised for the priority that the ticket came with, and a ticket
-- that waits is often raised later.
first_seen as (

    select distinct on (record_id)
        record_id,
        coalesce(doc ->> 'opening_priority', doc ->> 'priority') as opening_priority

    from {{ source('files', 'tickets') }}

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
        doc ->> 'ticket_id' as ticket_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'subject' as subject,
        doc ->> 'priority' as priority,
        doc ->> 'channel' as channel,
        opening_priority,
        doc ->> 'category' as category,
        doc ->> 'status' as status,
        doc ->> 'thread_id' as thread_id,
        (doc ->> 'satisfaction_score')::numeric(6, 2) as satisfaction_score,
        (doc ->> 'satisfaction_scale')::numeric(6, 2) as satisfaction_scale,
        (doc ->> 'resolution_hours')::numeric(12, 2) as resolution_hours,
        (doc ->> 'opened_at')::timestamptz as opened_at,
        (doc ->> 'first_reply_at')::timestamptz as first_reply_at,
        (doc ->> 'first_auto_reply_at')::timestamptz as first_auto_reply_at,
        (doc ->> 'closed_at')::timestamptz as closed_at,
        source_updated_at

    from joined

)

select * from renamed
