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

-- Accounts of the changed records, and the subscriptions and items of their lines.
keys as (

    select
        changed.source,
        named.kind,
        named.key

    from changed
    cross join
        lateral (
            values
            ('account', changed.account_key),
            ('line', changed.record_id),
            ('line', changed.contract_key)
        ) as named (kind, key)

    union

    select
        'stripe' as source,
        'line' as kind,
        unnest(array[subscription_id, subscription_item_id]) as key

    from {{ ref('int_stripe_invoice_lines') }}

    where
        stripe_customer_id = any(array(
            select changed.account_key from changed
            where changed.source = 'stripe'
        ))

),

-- The customer of each key at the last build, and the one of each account now.
owners as (

    select
        lines.source,
        named.kind,
        named.key,
        lines.customer_id,
        false as is_now

    from {{ lines_before or this }} as lines
    cross join
        lateral (
            values
            ('account', lines.account_key),
            ('line', lines.subscription_key),
            ('line', lines.item_key)
        ) as named (kind, key)

    where named.key is not null

    union

    select
        source,
        'account' as kind,
        source_key as key,
        customer_id,
        true as is_now

    from {{ ref('int_customer_identities') }}

)

select owners.customer_id

from owners
inner join keys
    on
        owners.source = keys.source
        and owners.kind = keys.kind
        and owners.key = keys.key

union

-- An account that moved or is gone, a subscription or item of two customers: rebuild
-- all of them.
select unnest(array_agg(customer_id)) as customer_id

from owners

group by source, kind, key

having
    min(customer_id) != max(customer_id)
    or (kind = 'account' and not bool_or(is_now))
{% endif %}
