with

newest as (

    {{ newest_version('stripe', 'invoices') }}

),

-- Amounts stay in minor units: the exponent of the currency is knowledge of the next
-- layer.
renamed as (

    select
        record_id as invoice_id,
        doc ->> 'customer' as stripe_customer_id,
        doc ->> 'subscription' as subscription_id,
        doc ->> 'status' as status,
        doc ->> 'billing_reason' as billing_reason,
        upper(doc ->> 'currency') as currency,
        doc #> '{lines,data}' as lines,
        (doc ->> 'total')::bigint as total_minor,
        (doc ->> 'amount_paid')::bigint as paid_minor,
        (doc ->> 'amount_remaining')::bigint as remaining_minor,
        doc #>> '{discount,coupon,duration}' as coupon_duration,
        (doc #>> '{discount,coupon,percent_off}')::numeric(9, 4) as coupon_percent_off,
        (doc ->> 'attempt_count')::int as attempt_count,
        to_timestamp((doc ->> 'created')::bigint) as created_at,
        to_timestamp((doc ->> 'due_date')::bigint) as due_at,
        to_timestamp((doc #>> '{status_transitions,paid_at}')::bigint) as paid_at,
        to_timestamp((doc #>> '{status_transitions,marked_uncollectible_at}')::bigint)
            as written_off_at,
        source_updated_at

    from newest

)

select * from renamed
