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
        {{ decimal("doc ->> 'score'", 6, 2) }} as score,
        {{ decimal("doc ->> 'scale_min'", 6, 2) }} as scale_min,
        {{ decimal("doc ->> 'scale_max'", 6, 2) }} as scale_max,
        ops.try_timestamptz(doc ->> 'answered_at') as answered_at,
        source_updated_at

    from newest

)

select * from renamed
