with

newest as (

    {{ newest_version('stripe', 'customers') }}

),

renamed as (

    select
        record_id as stripe_customer_id,
        nullif(doc #>> '{metadata,crm_company_id}', '') as crm_company_id,
        nullif(doc ->> 'name', '') as customer_name,
        {{ pseudonym("doc ->> 'email'") }} as email_pseudonym,
        nullif(lower(split_part(doc ->> 'email', '@', 2)), '') as email_domain,
        upper(doc ->> 'currency') as currency,
        ops.try_boolean(doc ->> 'delinquent') as is_delinquent,
        ops.try_epoch(doc ->> 'created') as created_at,
        source_updated_at

    from newest

)

select * from renamed
