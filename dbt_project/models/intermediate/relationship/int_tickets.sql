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
        channel,
        category,
        null::numeric(6, 2) as satisfaction_score,
        null::numeric(6, 2) as satisfaction_scale,
        opened_at,
        first_reply_at,
        closed_at

    from hubspot_tickets

    union all

    select
        'files' as source,
        ticket_id,
        account_id as account_key,
        priority,
        channel,
        category,
        satisfaction_score,
        satisfaction_scale,
        opened_at,
        first_reply_at,
        closed_at

    from files_tickets

)

select
    unioned.*,
    customer_keys.customer_id,
    unioned.opened_at::date as opened_date,
    (extract(epoch from unioned.first_reply_at - unioned.opened_at) / 3600)::numeric(
        12, 2
    )
        as first_reply_hours

from unioned
left join customer_keys on unioned.account_key = customer_keys.account_key

where unioned.opened_at is not null
