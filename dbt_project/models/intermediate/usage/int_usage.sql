{{ config(materialized='table') }}

with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

contacts as (

    select * from {{ ref('int_contacts') }}

),

files_subscriptions as (

    select * from {{ ref('stg_files__subscriptions') }}

),

unioned as (

    select
        'posthog' as source,
        *

    from {{ ref('stg_posthog__events') }}

    union all

    select
        'files' as source,
        *

    from {{ ref('stg_files__usage_events') }}

),

-- An event without an account belongs to the account of its subscription or of its
-- user.
identified as (

    select
        unioned.source,
        coalesce(
            unioned.account_key, files_subscriptions.account_id, contacts.account_key
        ) as account_key,
        unioned.user_key,
        unioned.subscription_key,
        unioned.feature,
        unioned.event_count,
        unioned.units,
        unioned.event_date

    from unioned
    left join files_subscriptions
        on
            unioned.account_key is null
            and unioned.subscription_key = files_subscriptions.subscription_id
    left join contacts
        on unioned.account_key is null and unioned.user_key = contacts.contact_id

)

select
    identified.*,
    customer_keys.customer_id

from identified
left join customer_keys on identified.account_key = customer_keys.account_key
