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
        (doc ->> 'raised_on')::date as raised_date,
        (doc ->> 'prioritized_on')::date as prioritized_date,
        (doc ->> 'implemented_on')::date as implemented_date,
        (doc ->> 'informed_on')::date as informed_date,
        source_updated_at

    from newest

)

select * from renamed
