select
    'usage_events' as unit,
    coalesce(sum(event_count), 0)::bigint as checked_count

from {{ ref('int_usage') }}

union all

select
    'subscriptions' as unit,
    count(*) as checked_count

from {{ ref('int_subscription_spans') }}

union all

select
    'customers' as unit,
    count(*) as checked_count

from {{ ref('int_customers') }}

union all

select
    'churn_events' as unit,
    count(*) as checked_count

from {{ ref('int_churn_claims') }}

union all

select
    'tickets' as unit,
    count(*) as checked_count

from {{ ref('int_tickets') }}

union all

select
    'meetings' as unit,
    count(*) as checked_count

from {{ ref('int_meetings') }}

union all

select
    'responses' as unit,
    count(*) as checked_count

from {{ ref('int_survey_responses') }}

union all

select
    'identities' as unit,
    count(*) as checked_count

from {{ ref('int_customer_identities') }}
