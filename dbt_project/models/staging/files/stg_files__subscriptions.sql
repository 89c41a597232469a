with

newest as (

    {{ newest_version('files', 'subscriptions') }}

),

renamed as (

    select
        doc ->> 'subscription_id' as subscription_id,
        coalesce(doc ->> 'contract_id', doc ->> 'subscription_id') as contract_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'product' as product,
        doc ->> 'currency' as currency,
        doc ->> 'unit' as unit,
        {{ decimal("doc ->> 'mrr_amount'", 18, 4) }} as mrr_amount,
        {{ decimal("doc ->> 'quantity'", 18, 4) }} as quantity,
        {{ decimal("doc ->> 'discount_rate'", 9, 6) }} as discount_rate,
        ops.try_integer(doc ->> 'billing_period_months') as billing_period_months,
        ops.try_boolean(doc ->> 'is_trial') as is_trial,
        ops.try_boolean(doc ->> 'is_add_on') as is_add_on,
        ops.try_boolean(doc ->> 'is_upgrade') as is_upgrade,
        ops.try_boolean(doc ->> 'is_downgrade') as is_downgrade,
        ops.try_boolean(doc ->> 'auto_renews') as auto_renews,
        doc ->> 'cancellation_reason' as cancellation_reason,
        doc ->> 'cancellation_feedback' as cancellation_feedback,
        ops.try_date(doc ->> 'cancel_requested_on') as cancel_requested_date,
        ops.try_date(doc ->> 'contract_ends_on') as contract_ends_date,
        ops.try_date(doc ->> 'starts_on') as starts_date,
        ops.try_date(doc ->> 'ends_on') as ends_date,
        source_updated_at

    from newest

)

select * from renamed
