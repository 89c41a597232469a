with

newest as (

    {{ newest_version('files', 'churn_events') }}

),

renamed as (

    select
        doc ->> 'churn_event_id' as churn_event_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'reason' as reason,
        (doc ->> 'is_reactivation')::boolean as is_reactivation,
        (doc ->> 'claims_earlier_upgrade')::boolean as claims_earlier_upgrade,
        (doc ->> 'churned_on')::date as churned_date,
        source_updated_at

    from newest

)

select * from renamed
