with

newest as (

    {{ newest_usage_days('posthog', 'events') }}

)

select * from newest
