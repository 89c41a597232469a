with

newest as (

    {{ newest_version('stripe', 'invoices') }}

),

-- Amounts stay in minor units: the currency exponent is applied in the next layer.
renamed as (

    select
        record_id as invoice_id,
        doc ->> 'customer' as stripe_customer_id,
        doc ->> 'subscription' as subscription_id,
        doc ->> 'status' as status,
        doc ->> 'billing_reason' as billing_reason,
        upper(doc ->> 'currency') as currency,
        doc #> '{lines,data}' as lines,
        ops.try_bigint(doc ->> 'total') as total_minor,
        ops.try_bigint(doc ->> 'amount_paid') as paid_minor,
        ops.try_bigint(doc ->> 'amount_remaining') as remaining_minor,
        doc #>> '{discount,coupon,duration}' as coupon_duration,
        {{ decimal("doc #>> '{discount,coupon,percent_off}'", 9, 4) }}
            as coupon_percent_off,
        ops.try_integer(doc ->> 'attempt_count') as attempt_count,
        ops.try_epoch(doc ->> 'created') as created_at,
        ops.try_epoch(doc ->> 'due_date') as due_at,
        ops.try_epoch(doc #>> '{status_transitions,paid_at}') as paid_at,
        ops.try_epoch(doc #>> '{status_transitions,marked_uncollectible_at}')
            as written_off_at,
        source_updated_at

    from newest

)

select * from renamed
