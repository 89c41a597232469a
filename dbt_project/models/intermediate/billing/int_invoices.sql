with

identities as (

    select * from {{ ref('int_customer_identities') }}

),

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

stripe_invoices as (

    select * from {{ ref('int_stripe_invoices') }}

),

files_invoices as (

    select * from {{ ref('stg_files__invoices') }}

    where coalesce(invoice_kind, 'invoice') = 'invoice'

),

currencies as (

    select * from {{ ref('currencies') }}

),

-- An automatically charged invoice has no due date: it is due when it is created.
stripe as (

    select
        'stripe' as source,
        stripe_invoices.invoice_id,
        stripe_invoices.subscription_id as subscription_key,
        identities.customer_id,
        stripe_invoices.status,
        stripe_invoices.currency,
        (
            stripe_invoices.total_minor / power(10::numeric, currencies.exponent)
        )::numeric(18, 4) as total_amount,
        stripe_invoices.created_at::date as issued_date,
        coalesce(stripe_invoices.due_at, stripe_invoices.created_at)::date as due_date,
        stripe_invoices.paid_at::date as paid_date,
        coalesce(stripe_invoices.paid_at, stripe_invoices.written_off_at)::date
            as settled_date,
        stripe_invoices.written_off_at::date as written_off_date,
        -- The last attempt of a paid invoice succeeded.
        stripe_invoices.attempt_count - case
            when stripe_invoices.status = 'paid' and stripe_invoices.attempt_count > 0
                then 1
            else 0
        end as failed_attempts

    from stripe_invoices
    left join identities
        on
            identities.source = 'stripe'
            and stripe_invoices.stripe_customer_id = identities.source_key
    left join currencies on stripe_invoices.currency = currencies.currency

),

files as (

    select
        'files' as source,
        files_invoices.invoice_id,
        files_invoices.contract_id as subscription_key,
        customer_keys.customer_id,
        files_invoices.status,
        files_invoices.currency,
        files_invoices.total_amount,
        files_invoices.issued_date,
        coalesce(files_invoices.due_date, files_invoices.issued_date) as due_date,
        files_invoices.paid_date,
        coalesce(files_invoices.paid_date, files_invoices.written_off_date)
            as settled_date,
        files_invoices.written_off_date,
        files_invoices.failed_attempts

    from files_invoices
    left join customer_keys on files_invoices.account_id = customer_keys.account_key

)

select * from stripe

union all

select * from files
