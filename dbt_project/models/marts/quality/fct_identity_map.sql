with

identities as (

    select * from {{ ref('int_customer_identities') }}

),

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

groups as (

    select * from {{ ref('int_customer_groups') }}

),

since as (

    select
        'crm' as source,
        source_key,
        min(signed_up_date) as since_date

    from {{ ref('int_accounts') }}

    group by source_key

    union all

    select
        'stripe' as source,
        stripe_customer_id as source_key,
        created_at::date as since_date

    from {{ ref('int_stripe_payers') }}

)

select
    identities.source,
    identities.source_key,
    identities.customer_id,
    customers.parent_customer_id,
    groups.group_id as ultimate_parent_id,
    identities.rule as match_rule,
    identities.confidence as match_confidence,
    case when identities.source = 'crm' then customer_keys.merge_count end
        as merge_count,
    case when identities.source = 'crm' then customer_keys.claim_count end
        as claim_count,
    since.since_date,
    {{ as_of() }} as as_of_date

from identities
inner join customers on identities.customer_id = customers.customer_id
inner join groups on identities.customer_id = groups.customer_id
left join customer_keys
    on
        identities.source_key = customer_keys.account_key
        and identities.source = 'crm'
left join since
    on
        identities.source = since.source
        and identities.source_key = since.source_key
