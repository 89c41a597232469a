with

stripe_subscriptions as (

    select * from {{ ref('stg_stripe__subscriptions') }}

),

identities as (

    select * from {{ ref('int_customer_identities') }}

)

-- A subscription that will end keeps its MRR until then, but has been lost since the
-- request.
select
    identities.customer_id,
    stripe_subscriptions.subscription_id as subscription_key,
    stripe_subscriptions.cancellation_reason,
    stripe_subscriptions.cancellation_feedback,
    stripe_subscriptions.canceled_at::date as requested_date,
    coalesce(
        stripe_subscriptions.ended_at,
        stripe_subscriptions.cancels_at,
        stripe_subscriptions.current_period_ends_at
    )::date as effective_date

from stripe_subscriptions
inner join identities
    on
        identities.source = 'stripe'
        and stripe_subscriptions.stripe_customer_id = identities.source_key

where stripe_subscriptions.canceled_at is not null
