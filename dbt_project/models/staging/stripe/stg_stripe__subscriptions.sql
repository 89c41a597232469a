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
        (doc ->> 'cancel_at_period_end')::boolean as cancels_at_period_end,
        to_timestamp((doc ->> 'start_date')::bigint) as starts_at,
        to_timestamp((doc ->> 'trial_end')::bigint) as trial_ends_at,
        to_timestamp((doc ->> 'current_period_end')::bigint) as current_period_ends_at,
        to_timestamp((doc ->> 'cancel_at')::bigint) as cancels_at,
        to_timestamp((doc ->> 'canceled_at')::bigint) as canceled_at,
        to_timestamp((doc ->> 'ended_at')::bigint) as ended_at,
        source_updated_at

    from newest

)

select * from renamed
