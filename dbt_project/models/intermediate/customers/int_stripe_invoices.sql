{{ config(**rebuilt('invoice_id')) }}

with

invoices as (

    select * from {{ ref('stg_stripe__invoices') }}

    where {{ is_new_invoice('invoice_id') }}

)

select
    invoice_id,
    stripe_customer_id,
    subscription_id,
    status,
    currency,
    total_minor,
    attempt_count,
    created_at,
    due_at,
    paid_at,
    written_off_at

from invoices
