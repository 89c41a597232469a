{{ config(materialized='table') }}

with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

accounts as (

    select * from {{ ref('int_accounts') }}

),

stripe_payers as (

    select * from {{ ref('int_stripe_payers') }}

),

files_subscriptions as (

    select * from {{ ref('stg_files__subscriptions') }}

),

-- A domain shared by two accounts identifies neither.
domains as (

    select
        domain,
        min(source_key) as customer_id

    from accounts

    where domain is not null

    group by domain

    having count(distinct source_key) = 1

),

crm as (

    select
        'crm' as source,
        account_key as source_key,
        customer_id,
        rule,
        case when claim_count > 1 then 0.5 else 1 end::numeric(3, 2) as confidence

    from customer_keys

),

-- A payer without a CRM account stays a customer of its own, so that its MRR is
-- counted.
stripe as (

    select
        'stripe' as source,
        stripe_payers.stripe_customer_id as source_key,
        coalesce(
            customer_keys.customer_id,
            domains.customer_id,
            'stripe:' || stripe_payers.stripe_customer_id
        ) as customer_id,
        case
            when customer_keys.customer_id is not null then 'billing_metadata'
            when domains.customer_id is not null then 'email_domain'
            else 'unmatched'
        end as rule,
        case
            when customer_keys.customer_id is not null then 1
            when domains.customer_id is not null then 0.8
            else 0
        end::numeric(3, 2) as confidence

    from stripe_payers
    left join customer_keys on stripe_payers.crm_company_id = customer_keys.account_key
    left join domains on stripe_payers.email_domain = domains.domain

),

files as (

    select distinct
        'files' as source,
        files_subscriptions.account_id as source_key,
        coalesce(
            customer_keys.customer_id, 'files:' || files_subscriptions.account_id
        ) as customer_id,
        coalesce(customer_keys.rule, 'unmatched') as rule,
        case when customer_keys.customer_id is null then 0 else 1 end::numeric(3, 2)
            as confidence

    from files_subscriptions
    left join customer_keys
        on files_subscriptions.account_id = customer_keys.account_key

)

select * from crm

union all

select * from stripe

union all

select * from files
