with

newest as (

    {{ newest_version('typeform', 'responses') }}

),

renamed as (

    select
        record_id as response_id,
        doc ->> 'form_id' as form_id,
        nullif(doc #>> '{hidden,company_id}', '') as company_id,
        nullif(doc #>> '{hidden,contact_id}', '') as contact_id,
        {{ pseudonym("nullif(doc #>> '{hidden,email}', '')") }} as email_pseudonym,
        doc ->> 'form_title' as form_title,
        doc ->> 'response_type' as response_type,
        doc -> 'answers' as answers,
        ops.try_moment(doc ->> 'submitted_at') as answered_at,
        source_updated_at

    from newest

)

select * from renamed
