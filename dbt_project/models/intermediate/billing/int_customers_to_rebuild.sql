{{ config(materialized='table') }}

{%- set lines_before = existing_model('int_subscription_lines') if increment_plan() -%}
{% if execute and not lines_before %}
select null as customer_id

where false
{% else %}
with

-- All versions of a changed record, because an earlier version may name another payer.
changed as (

    {% for source_name, stream, account in billing_logs() -%}
    select
        '{{ source_name }}' as source,
        versions.record_id,
        coalesce(versions.doc ->> 'contract_id', versions.doc ->> 'subscription_id')
            as contract_key,
        versions.doc ->> '{{ account }}' as account_key

    from {{ source(source_name, stream) }} as versions

    where
        versions.loaded_at <= {{ known_at() }}
        and versions.record_id = any(array({{ new_records(source_name, stream) }}))
    {{ "union all" if not loop.last }}
    {% endfor %}

),

before as (

    select distinct
        source,
        account_key,
        customer_id,
        subscription_key,
        item_key

    from {{ lines_before or this }}

),

-- Subscriptions and items of the changed records.
keys as (

    select
        source,
        record_id as key

    from changed

    union

    select
        'stripe' as source,
        unnest(array[subscription_id, subscription_item_id]) as key

    from {{ ref('int_stripe_invoice_lines') }}

    where
        stripe_customer_id = any(array(
            select changed.account_key from changed
            where changed.source = 'stripe'
        ))

    union

    select
        source,
        contract_key as key

    from changed

    where contract_key is not null

),

identities as (

    select * from {{ ref('int_customer_identities') }}

),

owners as (

    select
        source,
        source_key as account_key,
        customer_id

    from identities

    union all

    select
        source,
        account_key,
        customer_id

    from before

),

found as (

    select owners.customer_id

    from changed
    inner join owners
        on
            changed.source = owners.source
            and changed.account_key = owners.account_key

    union

    select before.customer_id

    from keys
    inner join before
        on
            keys.source = before.source
            and keys.key in (before.subscription_key, before.item_key)

    union

    -- A subscription or item of two customers: rebuild both together.
    select unnest(array_agg(before.customer_id))

    from before
    cross join
        lateral (
            values (before.subscription_key), (before.item_key)
        ) as shared (key)

    where shared.key is not null

    group by before.source, shared.key

    having min(before.customer_id) != max(before.customer_id)

    union

    -- An account that moved to another customer: rebuild both.
    select unnest(array[before.customer_id, identities.customer_id])

    from before
    left join identities
        on
            before.source = identities.source
            and before.account_key = identities.source_key

    where identities.customer_id is distinct from before.customer_id

)

select customer_id from found

where customer_id is not null
{% endif %}
