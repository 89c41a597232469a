with

newest as (

    {{ newest_version('files', 'feedback_items') }}

),

renamed as (

    select
        doc ->> 'feedback_id' as feedback_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'contact_id' as contact_id,
        doc ->> 'response_id' as response_id,
        ops.try_date(doc ->> 'raised_on') as raised_date,
        ops.try_date(doc ->> 'prioritized_on') as prioritized_date,
        ops.try_date(doc ->> 'implemented_on') as implemented_date,
        ops.try_date(doc ->> 'informed_on') as informed_date,
        source_updated_at

    from newest

)

select * from renamed
