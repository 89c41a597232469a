{{ config(materialized='table') }}

{%- set plan = ledger_increment() if execute else none -%}

with

arrivals as (

    select * from {{ ref('int_ledger_arrivals') }}

),

identities as (

    select * from {{ ref('int_customer_identities') }}

),

-- Who paid for what when the ledger was built last.
held as (

    {% if plan -%}
    select distinct
        source,
        account_key,
        customer_id,
        coalesce(subscription_key, '') as subscription_key

    from {{ staging_table('int_subscription_lines') }}
    {%- else -%}
    select
        null as source,
        null as account_key,
        null as customer_id,
        null as subscription_key

    where false
    {%- endif %}

),

accounts as (

    select
        source,
        key as account_key

    from arrivals

    where kind = 'account'

    union

    select
        'stripe' as source,
        stripe_customer_id as account_key

    from {{ ref('int_stripe_invoice_lines') }}

    where
        subscription_item_id = any(array(
            select arrivals.key from arrivals
            where arrivals.kind = 'item'
        ))

    union

    select
        'stripe' as source,
        stripe_customer_id as account_key

    from {{ ref('int_stripe_invoice_lines') }}

    where
        subscription_id = any(array(
            select arrivals.key from arrivals
            where arrivals.kind = 'subscription' and arrivals.source = 'stripe'
        ))

),

-- One subscription of two customers: neither is redone without the other.
shared as (

    select
        source,
        subscription_key

    from held

    group by source, subscription_key

    having min(customer_id) != max(customer_id)

),

found as (

    select identities.customer_id

    from accounts
    inner join identities
        on
            accounts.source = identities.source
            and accounts.account_key = identities.source_key

    union

    select held.customer_id

    from accounts
    inner join held
        on
            accounts.source = held.source
            and accounts.account_key = held.account_key

    union

    select held.customer_id

    from arrivals
    inner join held
        on
            arrivals.source = held.source
            and arrivals.key = held.subscription_key

    where arrivals.kind = 'subscription'

    union

    select held.customer_id

    from shared
    inner join held
        on
            shared.source = held.source
            and shared.subscription_key = held.subscription_key

    union

    -- Whose money it was before and whose it is now.
    select party.customer_id

    from held
    left join identities
        on
            held.source = identities.source
            and held.account_key = identities.source_key
    cross join
        lateral (
            values (held.customer_id), (identities.customer_id)
        ) as party (customer_id)

    where identities.customer_id is distinct from held.customer_id

)

select customer_id from found

where customer_id is not null
