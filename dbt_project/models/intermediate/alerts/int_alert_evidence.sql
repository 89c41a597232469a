with

invoices as (

    select * from {{ ref('int_invoices') }}

    where {{ is_due_invoice() }}

),

meetings as (

    select * from {{ ref('int_meetings') }}

    where customer_id is not null

),

responses as (

    select * from {{ ref('int_survey_responses') }}

    where customer_id is not null and is_valid

),

tickets as (

    select * from {{ ref('int_tickets') }}

    where customer_id is not null

),

cancellations as (

    select * from {{ ref('int_cancellations') }}

)

-- A record is evidence from starts_date to before ends_date.
select
    'overdue_invoice' as evidence_kind,
    customer_id,
    'invoice:' || invoice_id as evidence_id,
    due_date as starts_date,
    coalesce(settled_date, 'infinity'::date) as ends_date

from invoices

union all

select
    'decision_maker_cancellation' as evidence_kind,
    customer_id,
    'meeting:' || meeting_id as evidence_id,
    meeting_date as starts_date,
    meeting_date + 365 as ends_date

from meetings

where has_decision_maker and outcome in ('canceled', 'no_show')

union all

select
    survey || '_answer' as evidence_kind,
    customer_id,
    'response:' || response_id as evidence_id,
    answered_date as starts_date,
    answered_date + 120 as ends_date

from responses

union all

select
    'ticket' as evidence_kind,
    customer_id,
    'ticket:' || ticket_id as evidence_id,
    opened_date as starts_date,
    opened_date + 120 as ends_date

from tickets

union all

select
    'cancellation' as evidence_kind,
    customer_id,
    'subscription:' || subscription_key as evidence_id,
    requested_date as starts_date,
    effective_date as ends_date

from cancellations
