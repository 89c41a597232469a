select * from {{ ref('int_contradictions_usage') }}

union all

select * from {{ ref('int_contradictions_churn') }}

union all

select * from {{ ref('int_contradictions_churn_events') }}

union all

select * from {{ ref('int_contradictions_subscriptions') }}

union all

select * from {{ ref('int_contradictions_relationship') }}
