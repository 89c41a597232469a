-- A definition applies only when its sources are connected; otherwise every band would
-- be unknown.
select
    'usage' as source,
    min(event_date) as first_date

from {{ ref('int_usage_daily') }}

union all

select
    'crm' as source,
    min(meeting_date) as first_date

from {{ ref('int_meetings') }}

where outcome in ('completed', 'canceled', 'no_show')

union all

select
    'survey' as source,
    min(answered_date) as first_date

from {{ ref('int_survey_responses') }}

where survey = 'nps'

union all

select
    'billing' as source,
    min(issued_date) as first_date

from {{ ref('int_invoices') }}

union all

select
    'support' as source,
    min(opened_date) as first_date

from {{ ref('int_tickets') }}
