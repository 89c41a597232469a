with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

churn_events as (

    select * from {{ ref('stg_files__churn_events') }}

)

-- Claims are only compared with churn computed from subscription terms; marts use the
-- terms.
select
    'files' as source,
    churn_events.churn_event_id,
    customer_keys.customer_id,
    churn_events.reason,
    churn_events.is_reactivation,
    churn_events.claims_earlier_upgrade,
    churn_events.churned_date

from churn_events
left join customer_keys on churn_events.account_id = customer_keys.account_key
