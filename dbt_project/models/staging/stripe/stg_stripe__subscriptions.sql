with

newest as (

    {{ newest_version('stripe', 'subscriptions') }}

),

renamed as (

    select
        record_id as subscription_id,
        doc ->> 'customer' as stripe_customer_id,
        nullif(doc #>> '{metadata,crm_company_id}', '') as crm_company_id,
        doc ->> 'status' as status,
        upper(doc ->> 'currency') as currency,
        doc #>> '{pause_collection,behavior}' as pause_behavior,
        doc #>> '{cancellation_details,reason}' as cancellation_reason,
        doc #>> '{cancellation_details,feedback}' as cancellation_feedback,
        ops.try_boolean(doc ->> 'cancel_at_period_end') as cancels_at_period_end,
        ops.try_epoch(doc ->> 'start_date') as starts_at,
        ops.try_epoch(doc ->> 'trial_end') as trial_ends_at,
        ops.try_epoch(doc ->> 'current_period_end') as current_period_ends_at,
        ops.try_epoch(doc ->> 'cancel_at') as cancels_at,
        ops.try_epoch(doc ->> 'canceled_at') as canceled_at,
        ops.try_epoch(doc ->> 'ended_at') as ended_at,
        source_updated_at

    from newest

)

select * from renamed
