with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

hubspot_deals as (

    select * from {{ ref('stg_hubspot__deals') }}

),

files_deals as (

    select * from {{ ref('stg_files__deals') }}

),

vocabulary as (

    select * from {{ ref('vocabulary') }}

),

unioned as (

    select
        'hubspot' as source,
        deal_id,
        company_id as account_key,
        lower(deal_type) as vendor_kind,
        lower(deal_stage) as vendor_stage,
        deal_amount,
        currency,
        lost_reason,
        is_closed,
        is_won,
        created_at::date as created_date,
        closes_at::date as closes_date

    from hubspot_deals

    union all

    select
        'files' as source,
        deal_id,
        account_id as account_key,
        lower(deal_kind) as vendor_kind,
        lower(deal_stage) as vendor_stage,
        deal_amount,
        currency,
        lost_reason,
        is_closed,
        is_won,
        created_date,
        closes_date

    from files_deals

)

select
    unioned.source,
    unioned.deal_id,
    customer_keys.customer_id,
    coalesce(kinds.canonical_value, unioned.vendor_kind) as deal_kind,
    unioned.deal_amount,
    unioned.currency,
    unioned.lost_reason,
    coalesce(unioned.is_closed, stages.canonical_value in ('won', 'lost'), false)
        as is_closed,
    coalesce(unioned.is_won, stages.canonical_value = 'won', false) as is_won,
    unioned.created_date,
    unioned.closes_date

from unioned
left join customer_keys on unioned.account_key = customer_keys.account_key
left join vocabulary as kinds
    on kinds.field = 'deal_kind' and unioned.vendor_kind = kinds.vendor_value
left join vocabulary as stages
    on stages.field = 'deal_stage' and unioned.vendor_stage = stages.vendor_value
