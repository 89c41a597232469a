{{ config(materialized='table') }}

with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

hubspot_tickets as (

    select * from {{ ref('stg_hubspot__tickets') }}

),

files_items as (

    select * from {{ ref('stg_files__feedback_items') }}

),

vocabulary as (

    select * from {{ ref('vocabulary') }}

    where field = 'ticket_category' and canonical_value = 'feedback'

),

-- Seed vocabulary lists the ticket categories that are feedback.
unioned as (

    select
        'hubspot' as source,
        hubspot_tickets.ticket_id as feedback_id,
        hubspot_tickets.company_id as account_key,
        null as response_id,
        hubspot_tickets.opened_at::date as raised_date,
        hubspot_tickets.prioritized_date,
        hubspot_tickets.implemented_date,
        hubspot_tickets.informed_date

    from hubspot_tickets
    inner join vocabulary
        on lower(hubspot_tickets.category) = vocabulary.vendor_value

    union all

    select
        'files' as source,
        feedback_id,
        account_id as account_key,
        response_id,
        raised_date,
        prioritized_date,
        implemented_date,
        informed_date

    from files_items

)

-- Point-in-time: dates after as_of are null.
select
    unioned.source,
    unioned.feedback_id,
    customer_keys.customer_id,
    unioned.response_id,
    unioned.raised_date,
    case
        when unioned.prioritized_date <= {{ as_of() }} then unioned.prioritized_date
    end as prioritized_date,
    case
        when unioned.implemented_date <= {{ as_of() }} then unioned.implemented_date
    end as implemented_date,
    case
        when unioned.informed_date <= {{ as_of() }} then unioned.informed_date
    end as informed_date

from unioned
inner join customer_keys on unioned.account_key = customer_keys.account_key

where unioned.raised_date <= {{ as_of() }}
