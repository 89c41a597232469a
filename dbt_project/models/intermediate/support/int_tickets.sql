{{ config(materialized='table') }}

with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

hubspot_tickets as (

    select * from {{ ref('stg_hubspot__tickets') }}

),

files_tickets as (

    select * from {{ ref('stg_files__tickets') }}

),

unioned as (

    select
        'hubspot' as source,
        ticket_id,
        company_id as account_key,
        priority,
        opening_priority,
        channel,
        category,
        null::numeric(6, 2) as satisfaction_score,
        null::numeric(6, 2) as satisfaction_scale,
        opened_at,
        first_reply_at,
        first_auto_reply_at,
        thread_id,
        closed_at

    from hubspot_tickets

    union all

    select
        'files' as source,
        ticket_id,
        account_id as account_key,
        priority,
        opening_priority,
        channel,
        category,
        satisfaction_score,
        satisfaction_scale,
        opened_at,
        first_reply_at,
        first_auto_reply_at,
        thread_id,
        closed_at

    from files_tickets

),

-- Only a human reply stops the clock; some systems also record the automatic one.
answered as (

    select
        source,
        ticket_id,
        account_key,
        lower(priority) as priority,
        lower(opening_priority) as opening_priority,
        lower(channel) as channel,
        category,
        coalesce(thread_id, ticket_id) as thread_id,
        satisfaction_score,
        satisfaction_scale,
        opened_at,
        case
            when (first_reply_at = first_auto_reply_at) is not true then first_reply_at
        end as first_reply_at,
        first_auto_reply_at,
        closed_at

    from unioned

)

select
    answered.*,
    customer_keys.customer_id,
    answered.opened_at::date as opened_date,
    (extract(epoch from answered.first_reply_at - answered.opened_at) / 3600)::numeric(
        12, 2
    )
        as first_reply_hours

from answered
left join customer_keys on answered.account_key = customer_keys.account_key

where answered.opened_at is not null
