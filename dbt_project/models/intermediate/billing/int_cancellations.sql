with

stripe_subscriptions as (

    select * from {{ ref('stg_stripe__subscriptions') }}

),

files_subscriptions as (

    select * from {{ ref('stg_files__subscriptions') }}

),

identities as (

    select * from {{ ref('int_customer_identities') }}

),

unioned as (

    select
        'stripe' as source,
        stripe_customer_id as account_key,
        subscription_id as subscription_key,
        cancellation_reason,
        cancellation_feedback,
        canceled_at::date as requested_date,
        coalesce(ended_at, cancels_at, current_period_ends_at)::date as effective_date

    from stripe_subscriptions

    where canceled_at is not null

    union all

    select
        'files' as source,
        account_id as account_key,
        contract_id as subscription_key,
        max(cancellation_reason) as cancellation_reason,
        max(cancellation_feedback) as cancellation_feedback,
        max(cancel_requested_date) as requested_date,
        max(ends_date) as effective_date

    from files_subscriptions

    group by account_id, contract_id

    having max(cancel_requested_date) is not null

)

-- A cancelled subscription keeps its MRR until it ends; committed MRR excludes it from
-- the request on. Merged accounts may both carry the request: keep the newest.
select distinct on (identities.customer_id, unioned.source, unioned.subscription_key)
    identities.customer_id,
    unioned.source,
    unioned.subscription_key,
    unioned.cancellation_reason,
    unioned.cancellation_feedback,
    unioned.requested_date,
    unioned.effective_date

from unioned
inner join identities
    on
        unioned.source = identities.source
        and unioned.account_key = identities.source_key

order by
    identities.customer_id asc,
    unioned.source asc,
    unioned.subscription_key asc,
    unioned.requested_date desc,
    unioned.account_key asc
