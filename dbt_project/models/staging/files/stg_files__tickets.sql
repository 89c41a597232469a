with

tickets as (

    {{ tickets_with_opening_priority(
        'files',
        "coalesce(doc ->> 'opening_priority', doc ->> 'priority')"
    ) }}

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
        {{ decimal("doc ->> 'satisfaction_score'", 6, 2) }} as satisfaction_score,
        {{ decimal("doc ->> 'satisfaction_scale'", 6, 2) }} as satisfaction_scale,
        {{ decimal("doc ->> 'resolution_hours'", 12, 2) }} as resolution_hours,
        ops.try_timestamptz(doc ->> 'opened_at') as opened_at,
        ops.try_timestamptz(doc ->> 'first_reply_at') as first_reply_at,
        ops.try_timestamptz(doc ->> 'first_auto_reply_at') as first_auto_reply_at,
        ops.try_timestamptz(doc ->> 'closed_at') as closed_at,
        source_updated_at

    from tickets

)

select * from renamed
