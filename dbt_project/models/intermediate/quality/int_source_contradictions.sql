select
    kind,
    source,
    record_key,
    related_key,
    record_count

from {{ ref('int_contradictions_usage') }}

union all

select
    kind,
    source,
    record_key,
    related_key,
    record_count

from {{ ref('int_contradictions_churn') }}

union all

select
    kind,
    source,
    record_key,
    related_key,
    record_count

from {{ ref('int_contradictions_churn_events') }}

union all

select
    kind,
    source,
    record_key,
    related_key,
    record_count

from {{ ref('int_contradictions_subscriptions') }}

union all

select
    kind,
    source,
    record_key,
    related_key,
    record_count

from {{ ref('int_contradictions_relationship') }}
