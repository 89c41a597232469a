{{ config(materialized='table') }}

with

stripe_terms as (

    select * from {{ ref('int_stripe_terms') }}

),

files_subscriptions as (

    select * from {{ ref('stg_files__subscriptions') }}

),

identities as (

    select * from {{ ref('int_customer_identities') }}

),

unioned as (

    select
        source,
        term_key,
        subscription_key,
        account_key,
        product,
        currency,
        mrr_amount,
        quantity,
        null as unit,
        billing_period_months,
        is_trial,
        false as is_add_on,
        null::boolean as is_upgrade,
        null::boolean as is_downgrade,
        starts_date,
        ends_date

    from stripe_terms

    union all

    select
        'files' as source,
        subscription_id as term_key,
        subscription_id as subscription_key,
        account_id as account_key,
        product,
        currency,
        mrr_amount,
        quantity,
        unit,
        billing_period_months,
        coalesce(is_trial, false) as is_trial,
        coalesce(is_add_on, false) as is_add_on,
        is_upgrade,
        is_downgrade,
        starts_date,
        ends_date

    from files_subscriptions

)

select
    unioned.*,
    identities.customer_id

from unioned
inner join identities
    on
        unioned.source = identities.source
        and unioned.account_key = identities.source_key
