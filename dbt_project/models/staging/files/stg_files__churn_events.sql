with

newest as (

    {{ newest_version('files', 'churn_events') }}

),

renamed as (

    select
        doc ->> 'churn_event_id' as churn_event_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'reason' as reason,
        ops.try_boolean(doc ->> 'is_reactivation') as is_reactivation,
        ops.try_boolean(doc ->> 'claims_earlier_upgrade') as claims_earlier_upgrade,
        ops.try_date(doc ->> 'churned_on') as churned_date,
        source_updated_at

    from newest

)

select * from renamed
