with

newest as (

    {{ newest_usage_days('posthog', 'events') }}

),

-- The rollup writes an empty key where the event named nobody; here that is null.
renamed as (

    select
        nullif(account_key, '') as account_key,
        nullif(user_key, '') as user_key,
        nullif(subscription_key, '') as subscription_key,
        feature,
        events as event_count,
        units::numeric(18, 4) as units,
        event_date,
        first_at,
        last_at

    from newest

)

select * from renamed
