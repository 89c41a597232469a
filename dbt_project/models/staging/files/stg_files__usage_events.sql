with

newest as (

    {{ newest_usage_days('files', 'usage_events') }}

)

select * from newest
