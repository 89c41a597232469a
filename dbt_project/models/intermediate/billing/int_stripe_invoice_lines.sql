with

invoices as (

    select * from {{ ref('stg_stripe__invoices') }}

),

-- A void invoice was never owed; every other status counts, paid or not. A metered line
-- is billed for what was used and promises nothing.
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
        (line.doc #>> '{price,unit_amount}')::numeric(24, 6)
        * (line.doc ->> 'quantity')::bigint as full_minor,
        (
            select coalesce(sum((discount.doc ->> 'amount')::bigint), 0)
            from jsonb_array_elements(line.doc -> 'discount_amounts') as discount (doc)
        ) as discount_minor,
        invoices.coupon_percent_off,
        (line.doc ->> 'proration')::boolean as is_proration,
        to_timestamp((line.doc #>> '{period,start}')::bigint) as period_starts_at,
        to_timestamp((line.doc #>> '{period,end}')::bigint) as period_ends_at

    from invoices
    cross join
        lateral jsonb_array_elements(invoices.lines)
        with ordinality as line (doc, position)

    where
        invoices.status != 'void'
        and line.doc #>> '{price,type}' = 'recurring'
        and coalesce(line.doc #>> '{price,recurring,usage_type}', 'licensed') != 'metered'
        and line.doc ->> 'subscription_item' is not null

)

select * from lines
