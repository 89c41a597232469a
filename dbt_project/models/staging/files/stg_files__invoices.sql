with

newest as (

    {{ newest_version('files', 'invoices') }}

),

renamed as (

    select
        doc ->> 'invoice_id' as invoice_id,
        doc ->> 'account_id' as account_id,
        coalesce(doc ->> 'contract_id', doc ->> 'subscription_id') as contract_id,
        doc ->> 'status' as status,
        doc ->> 'kind' as invoice_kind,
        doc ->> 'currency' as currency,
        (doc ->> 'total_amount')::numeric(18, 4) as total_amount,
        (doc ->> 'one_off_amount')::numeric(18, 4) as one_off_amount,
        (doc ->> 'paid_amount')::numeric(18, 4) as paid_amount,
        (doc ->> 'failed_attempts')::int as failed_attempts,
        (doc ->> 'issued_on')::date as issued_date,
        (doc ->> 'due_on')::date as due_date,
        (doc ->> 'paid_on')::date as paid_date,
        (doc ->> 'written_off_on')::date as written_off_date,
        source_updated_at

    from newest

)

select * from renamed
