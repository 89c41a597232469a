with

health as (

    select * from {{ ref('int_customer_health_history') }}

),

responses as (

    select * from {{ ref('int_survey_responses') }}

),

surveys as (

    select * from {{ ref('surveys') }}

),

invoices as (

    select * from {{ ref('int_invoices') }}

)

-- Signs are taken from records with their own date, as they could be seen on that day.
-- Add a source of alerts with a history as another branch of this union.
select
    customer_id,
    'health_red' as sign,
    'health:' || as_of_date as sign_id,
    as_of_date as raised_date

from health

where band = 'red'

union all

select
    responses.customer_id,
    'detractor' as sign,
    'response:' || responses.response_id as sign_id,
    responses.answered_at::date as raised_date

from responses
inner join surveys on responses.survey = surveys.survey

where responses.survey = 'nps' and responses.score <= surveys.detractor_to

union all

select
    customer_id,
    'overdue' as sign,
    'invoice:' || invoice_id as sign_id,
    due_date + {{ policy('late_payment_days', 'int') }} as raised_date

from invoices

where
    customer_id is not null
    and due_date + {{ policy('late_payment_days', 'int') }}
    < coalesce(settled_date, {{ as_of() }} + 1)
    and due_date + {{ policy('late_payment_days', 'int') }} <= {{ as_of() }}
