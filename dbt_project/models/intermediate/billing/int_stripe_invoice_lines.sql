{{
    config(
        materialized='ledger',
        meta={'redo': 'invoice'},
        indexes=[
            {'columns': ['invoice_id']},
            {'columns': ['stripe_customer_id']},
            {'columns': ['subscription_id']},
            {'columns': ['subscription_item_id']}
        ]
    )
}}

with

invoices as (

    select * from {{ ref('stg_stripe__invoices') }}

    where {{ is_arrived_invoice('invoice_id') }}

),

-- Every line of every invoice; whether it carries MRR is decided later, by policy.
lines as (

    select
        invoices.invoice_id,
        invoices.stripe_customer_id,
        invoices.currency,
        line.position as line_number,
        coalesce(line.doc ->> 'subscription', invoices.subscription_id)
            as subscription_id,
        line.doc ->> 'subscription_item' as subscription_item_id,
        coalesce(
            line.doc #>> '{price,nickname}',
            line.doc #>> '{price,lookup_key}',
            line.doc #>> '{price,product}'
        ) as product,
        line.doc #>> '{price,recurring,interval}' as billing_interval,
        (line.doc #>> '{price,recurring,interval_count}')::int as interval_count,
        (line.doc ->> 'quantity')::bigint as quantity,
        (line.doc ->> 'amount')::bigint as amount_minor,
        (
            (line.doc #>> '{price,unit_amount}')::numeric(24, 6)
            * (line.doc ->> 'quantity')::bigint
        )::numeric(24, 6) as full_minor,
        (
            select coalesce(sum((discount.doc ->> 'amount')::bigint), 0)
            from jsonb_array_elements(line.doc -> 'discount_amounts') as discount (doc)
        ) as discount_minor,
        (
            select coalesce(sum((tax.doc ->> 'amount')::bigint), 0)
            from jsonb_array_elements(line.doc -> 'tax_amounts') as tax (doc)
            where not coalesce((tax.doc ->> 'inclusive')::boolean, false)
        ) as added_tax_minor,
        (
            select coalesce(sum((tax.doc ->> 'amount')::bigint), 0)
            from jsonb_array_elements(line.doc -> 'tax_amounts') as tax (doc)
            where (tax.doc ->> 'inclusive')::boolean
        ) as included_tax_minor,
        invoices.coupon_percent_off,
        coalesce(invoices.coupon_duration, 'forever') as discount_kind,
        invoices.coupon_duration is null as is_line_discount,
        coalesce(line.doc #>> '{price,type}' = 'recurring', false)
        and line.doc ->> 'subscription_item' is not null as is_recurring,
        coalesce(line.doc #>> '{price,recurring,usage_type}' = 'metered', false)
            as is_metered,
        (line.doc ->> 'proration')::boolean as is_proration,
        invoices.status = 'void' as is_void,
        to_timestamp((line.doc #>> '{period,start}')::bigint) as period_starts_at,
        to_timestamp((line.doc #>> '{period,end}')::bigint) as period_ends_at

    from invoices
    cross join
        lateral jsonb_array_elements(invoices.lines)
        with ordinality as line (doc, position)

)

select * from lines
