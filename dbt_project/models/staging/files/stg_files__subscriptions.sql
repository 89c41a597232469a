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
        (doc ->> 'mrr_amount')::numeric(18, 4) as mrr_amount,
        (doc ->> 'quantity')::numeric(18, 4) as quantity,
        (doc ->> 'discount_rate')::numeric(9, 6) as discount_rate,
        (doc ->> 'billing_period_months')::int as billing_period_months,
        (doc ->> 'is_trial')::boolean as is_trial,
        (doc ->> 'is_add_on')::boolean as is_add_on,
        (doc ->> 'is_upgrade')::boolean as is_upgrade,
        (doc ->> 'is_downgrade')::boolean as is_downgrade,
        (doc ->> 'auto_renews')::boolean as auto_renews,
        doc ->> 'cancellation_reason' as cancellation_reason,
        doc ->> 'cancellation_feedback' as cancellation_feedback,
        (doc ->> 'cancel_requested_on')::date as cancel_requested_date,
        (doc ->> 'contract_ends_on')::date as contract_ends_date,
        (doc ->> 'starts_on')::date as starts_date,
        (doc ->> 'ends_on')::date as ends_date,
        source_updated_at

    from newest

)

select * from renamed
