with

newest as (

    {{ newest_version('files', 'tickets') }}

),

renamed as (

    select
        doc ->> 'ticket_id' as ticket_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'subject' as subject,
        doc ->> 'priority' as priority,
        doc ->> 'channel' as channel,
        doc ->> 'category' as category,
        doc ->> 'status' as status,
        (doc ->> 'satisfaction_score')::numeric(6, 2) as satisfaction_score,
        (doc ->> 'satisfaction_scale')::numeric(6, 2) as satisfaction_scale,
        (doc ->> 'resolution_hours')::numeric(12, 2) as resolution_hours,
        (doc ->> 'opened_at')::timestamptz as opened_at,
        (doc ->> 'first_reply_at')::timestamptz as first_reply_at,
        (doc ->> 'closed_at')::timestamptz as closed_at,
        source_updated_at

    from newest

)

select * from renamed
