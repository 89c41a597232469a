with

last_shown as (

    select publishes.known_at

    from {{ source('ops', 'publishes') }} as publishes

    where publishes.as_of < {{ as_of() }} and publishes.status != 'rolled_back'

    order by publishes.as_of desc, publishes.publish_id desc

    limit 1

),

tolerance as (

    select policies.value::int as days

    from {{ ref('mrr_policies') }} as policies

    where policies.policy = 'default' and policies.switch = 'renewal_tolerance_days'

),

invoices as (

    {{ versions_since_last_shown(
        source('stripe', 'invoices'), 'stripe.invoices'
    ) }}

),

subscriptions as (

    {{ versions_since_last_shown(
        source('files', 'subscriptions'), 'files.subscriptions'
    ) }}

),

payers as (

    {{ versions_since_last_shown(
        source('stripe', 'customers'), 'stripe.customers'
    ) }}

),

companies as (

    {{ versions_since_last_shown(
        source('hubspot', 'companies'), 'hubspot.companies'
    ) }}

),

identities as (

    select * from {{ ref('int_customer_identities') }}

),

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

-- A line that begins within the tolerance of a late renewal also fills the gap before
-- it.
billed as (

    select
        'stripe' as source,
        invoices.source_record_id,
        invoices.cause,
        max(invoices.doc ->> 'customer') as account_key,
        min(ops.try_epoch(line.doc #>> '{period,start}')::date)
        - (select tolerance.days from tolerance) as starts_date,
        max(ops.try_epoch(line.doc #>> '{period,end}')::date) as ends_date

    from invoices
    cross join
        lateral jsonb_array_elements(invoices.doc #> '{lines,data}') as line (doc)

    group by invoices.source_record_id, invoices.cause

    union all

    select
        'files' as source,
        source_record_id,
        cause,
        max(doc ->> 'account_id') as account_key,
        min(ops.try_date(doc ->> 'starts_on')) as starts_date,
        max(coalesce(ops.try_date(doc ->> 'ends_on'), 'infinity')) as ends_date

    from subscriptions

    group by source_record_id, cause

),

-- The former and the current customer of the record: the figures of both change.
owned as (

    select distinct
        payers.source_record_id,
        coalesce(customer_keys.customer_id, 'stripe:' || payers.record_id)
            as customer_id,
        payers.record_id

    from payers
    left join customer_keys
        on payers.doc #>> '{metadata,crm_company_id}' = customer_keys.account_key

),

moved as (

    select
        source_record_id,
        customer_id

    from owned

    where
        record_id in (
            select each.record_id from owned as each
            group by each.record_id
            having count(*) > 1
        )

    union

    select
        companies.source_record_id,
        party.customer_id

    from companies
    inner join customer_keys
        on companies.record_id in (customer_keys.account_key, customer_keys.customer_id)
    cross join
        lateral (
            values (customer_keys.account_key), (customer_keys.customer_id)
        ) as party (customer_id)

    -- Merging an account that never paid changes no figure.
    where
        customer_keys.rule = 'merged_into'
        and exists (
            select 1 from {{ ref('int_mrr_month_versions') }} as versions
            where customer_keys.account_key = versions.customer_id
        )

)

select
    identities.customer_id,
    billed.source_record_id,
    billed.cause,
    billed.starts_date,
    billed.ends_date

from billed
inner join identities
    on
        billed.source = identities.source
        and billed.account_key = identities.source_key

union all

select
    customer_id,
    source_record_id,
    'identity' as cause,
    '-infinity'::date as starts_date,
    'infinity'::date as ends_date

from moved
