{{ config(materialized='table') }}

with

accounts as (

    select * from {{ ref('int_accounts') }}

),

identities as (

    select * from {{ ref('int_customer_identities') }}

),

stripe_payers as (

    select * from {{ ref('int_stripe_payers') }}

),

-- Account fields of the CRM take precedence over those of dropped files.
preferred as (

    select distinct on (source_key)
        source_key as customer_id,
        source as account_source,
        owner_id as csm_id,
        account_name as customer_name,
        coalesce(segment, 'unknown') as segment,
        industry,
        country,
        timezone,
        plan,
        seats,
        notice_days,
        annual_budget_amount,
        claimed_churned,
        signed_up_date,
        parent_source_key

    from accounts

    where source_key in (select identities.customer_id from identities)

    order by source_key asc, source desc

),

billed_only as (

    select distinct on (identities.customer_id)
        identities.customer_id,
        identities.source as account_source,
        null as csm_id,
        stripe_payers.customer_name,
        'unknown' as segment,
        null as industry,
        null as country,
        null as timezone,
        null as plan,
        null::bigint as seats,
        null::int as notice_days,
        null::numeric(18, 4) as annual_budget_amount,
        null::boolean as claimed_churned,
        stripe_payers.created_at::date as signed_up_date,
        null as parent_source_key

    from identities
    left join stripe_payers
        on
            identities.source = 'stripe'
            and identities.source_key = stripe_payers.stripe_customer_id

    where identities.rule = 'unmatched'

    order by identities.customer_id, identities.source_key

),

unioned as (

    select * from preferred

    union all

    select * from billed_only

)

select
    unioned.*,
    customer_keys.customer_id as parent_customer_id

from unioned
left join {{ ref('int_customer_keys') }} as customer_keys
    on unioned.parent_source_key = customer_keys.account_key
