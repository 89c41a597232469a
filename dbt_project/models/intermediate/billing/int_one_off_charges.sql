with

currencies as (

    select * from {{ ref('currencies') }}

),

stripe as (

    select
        'stripe' as source,
        lines.stripe_customer_id as account_key,
        lines.currency,
        lines.period_starts_at::date as charged_date,
        lines.amount_minor / power(10::numeric, currencies.exponent) as charged_amount

    from {{ ref('int_stripe_invoice_lines') }} as lines
    inner join currencies on lines.currency = currencies.currency

    where not lines.is_recurring and not lines.is_void and not lines.is_proration

),

files as (

    select
        'files' as source,
        account_id as account_key,
        currency,
        issued_date as charged_date,
        one_off_amount as charged_amount

    from {{ ref('stg_files__invoices') }}

    where
        one_off_amount is not null
        and coalesce(invoice_kind, 'invoice') = 'invoice'
        and coalesce(status, 'open') != 'void'

),

unioned as (

    select * from stripe

    union all

    select * from files

)

select
    unioned.source,
    identities.customer_id,
    unioned.currency,
    unioned.charged_date,
    unioned.charged_amount::numeric(18, 4) as charged_amount

from unioned
inner join {{ ref('int_customer_identities') }} as identities
    on
        unioned.source = identities.source
        and unioned.account_key = identities.source_key
