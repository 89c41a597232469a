{{ config(materialized='table') }}

with

-- Every version of a record: what it was about before is redone as well.
stripe_invoices as (

    {{ versions_of_arrived('stripe', 'invoices') }}

),

stripe_subscriptions as (

    {{ versions_of_arrived('stripe', 'subscriptions') }}

),

files as (

    {{ versions_of_arrived('files', 'subscriptions') }}

    union all

    {{ versions_of_arrived('files', 'invoices') }}

),

stripe_lines as (

    select line.doc

    from stripe_invoices
    cross join
        lateral jsonb_array_elements(stripe_invoices.doc #> '{lines,data}')
            as line (doc)

),

keys as (

    select
        'stripe' as source,
        'invoice' as kind,
        record_id as key

    from stripe_invoices

    union

    select
        'stripe' as source,
        'account' as kind,
        doc ->> 'customer' as key

    from stripe_invoices

    union

    select
        'stripe' as source,
        'subscription' as kind,
        doc ->> 'subscription' as key

    from stripe_invoices

    union

    select
        'stripe' as source,
        'subscription' as kind,
        doc ->> 'subscription' as key

    from stripe_lines

    union

    select
        'stripe' as source,
        'item' as kind,
        doc ->> 'subscription_item' as key

    from stripe_lines

    union

    select
        'stripe' as source,
        'subscription' as kind,
        record_id as key

    from stripe_subscriptions

    union

    select
        'stripe' as source,
        'account' as kind,
        doc ->> 'customer' as key

    from stripe_subscriptions

    union

    select
        'files' as source,
        'account' as kind,
        doc ->> 'account_id' as key

    from files

    union

    select
        'files' as source,
        'subscription' as kind,
        coalesce(doc ->> 'contract_id', doc ->> 'subscription_id') as key

    from files

)

select * from keys

where key is not null
