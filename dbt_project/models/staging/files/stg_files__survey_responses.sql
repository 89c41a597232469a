with

newest as (

    {{ newest_version('files', 'survey_responses') }}

),

renamed as (

    select
        doc ->> 'response_id' as response_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'contact_id' as contact_id,
        {{ pseudonym("doc ->> 'respondent_email'") }} as email_pseudonym,
        doc ->> 'survey' as survey,
        doc ->> 'reason' as reason,
        doc ->> 'next_step' as next_step,
        (doc ->> 'score')::numeric(6, 2) as score,
        (doc ->> 'scale_min')::numeric(6, 2) as scale_min,
        (doc ->> 'scale_max')::numeric(6, 2) as scale_max,
        (doc ->> 'answered_at')::timestamptz as answered_at,
        source_updated_at

    from newest

)

select * from renamed
