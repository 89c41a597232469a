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
        {{ decimal("doc ->> 'total_amount'", 18, 4) }} as total_amount,
        {{ decimal("doc ->> 'one_off_amount'", 18, 4) }} as one_off_amount,
        {{ decimal("doc ->> 'paid_amount'", 18, 4) }} as paid_amount,
        ops.try_integer(doc ->> 'failed_attempts') as failed_attempts,
        ops.try_date(doc ->> 'issued_on') as issued_date,
        ops.try_date(doc ->> 'due_on') as due_date,
        ops.try_date(doc ->> 'paid_on') as paid_date,
        ops.try_date(doc ->> 'written_off_on') as written_off_date,
        source_updated_at

    from newest

)

select * from renamed
