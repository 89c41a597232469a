{{
    config(
        materialized='incremental',
        incremental_strategy='rebuild',
        unique_key='invoice_id',
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

    where {{ is_new_invoice('invoice_id') }}

),

-- Keep every line: the policies decide later which ones carry MRR.
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
        ops.try_integer(line.doc #>> '{price,recurring,interval_count}')
            as interval_count,
        ops.try_bigint(line.doc ->> 'quantity') as quantity,
        ops.try_bigint(line.doc ->> 'amount') as amount_minor,
        -- The price of one unit says nothing about tiers and packages.
        case
            when
                coalesce(line.doc #>> '{price,billing_scheme}', 'per_unit')
                = 'per_unit'
                and line.doc #>> '{price,transform_quantity}' is null
                then
                    coalesce(
                        {{ decimal(
                            "line.doc #>> '{price,unit_amount_decimal}'", 24, 6
                        ) }},
                        {{ decimal("line.doc #>> '{price,unit_amount}'", 24, 6) }}
                    )
        end as unit_minor,
        (
            select coalesce(sum(ops.try_bigint(discount.doc ->> 'amount')), 0)
            from jsonb_path_query(line.doc, '$.discount_amounts[*]') as discount (doc)
        ) as discount_minor,
        (
            select coalesce(sum(ops.try_bigint(tax.doc ->> 'amount')), 0)
            from jsonb_path_query(line.doc, '$.tax_amounts[*]') as tax (doc)
            where not coalesce(ops.try_boolean(tax.doc ->> 'inclusive'), false)
        ) as added_tax_minor,
        (
            select coalesce(sum(ops.try_bigint(tax.doc ->> 'amount')), 0)
            from jsonb_path_query(line.doc, '$.tax_amounts[*]') as tax (doc)
            where ops.try_boolean(tax.doc ->> 'inclusive')
        ) as included_tax_minor,
        invoices.coupon_percent_off,
        coalesce(invoices.coupon_duration, 'forever') as discount_kind,
        invoices.coupon_duration is null as is_line_discount,
        coalesce(line.doc #>> '{price,type}' = 'recurring', false)
        and line.doc ->> 'subscription_item' is not null as is_recurring,
        coalesce(line.doc #>> '{price,recurring,usage_type}' = 'metered', false)
            as is_metered,
        ops.try_boolean(line.doc ->> 'proration') as is_proration,
        invoices.status = 'void' as is_void,
        ops.try_epoch(line.doc #>> '{period,start}') as period_starts_at,
        ops.try_epoch(line.doc #>> '{period,end}') as period_ends_at

    from invoices
    cross join
        lateral jsonb_array_elements(invoices.lines)
        with ordinality as line (doc, position)

),

timed as (

    select
        *,
        period_ends_at - case billing_interval
            when 'year' then make_interval(years => interval_count)
            when 'month' then make_interval(months => interval_count)
            when 'week' then make_interval(weeks => interval_count)
            when 'day' then make_interval(days => interval_count)
        end as whole_starts_at

    from lines

),

-- Stripe states what a line costs. A trial costs nothing yet, a partial line a part.
-- See docs/decisions/revenue.md, "The amount of an invoice line".
priced as (

    select
        *,
        case
            when
                amount_minor != 0
                and not coalesce(is_proration, false)
                -- The month after 31 January ends on 28 February.
                and coalesce(
                    period_starts_at <= whole_starts_at + case
                        when billing_interval in ('month', 'year')
                            then interval '3 days'
                        else interval '1 hour'
                    end,
                    true
                )
                then amount_minor
            else
                coalesce(
                    unit_minor * quantity,
                    abs(amount_minor)
                    * extract(epoch from period_ends_at - whole_starts_at)
                    / nullif(extract(epoch from period_ends_at - period_starts_at), 0),
                    amount_minor
                )
        end as full_minor

    from timed

)

select
    invoice_id,
    stripe_customer_id,
    currency,
    line_number,
    subscription_id,
    subscription_item_id,
    product,
    billing_interval,
    interval_count,
    quantity,
    amount_minor,
    {{ decimal('full_minor::text', 24, 6) }} as full_minor,
    discount_minor,
    added_tax_minor,
    included_tax_minor,
    coupon_percent_off,
    discount_kind,
    is_line_discount,
    is_recurring,
    is_metered,
    is_proration,
    is_void,
    period_starts_at,
    period_ends_at

from priced
