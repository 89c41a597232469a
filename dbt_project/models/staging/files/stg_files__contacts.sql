with

newest as (

    {{ newest_version('files', 'contacts') }}

),

renamed as (

    select
        doc ->> 'contact_id' as contact_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'name' as contact_name,
        doc ->> 'email' as email,
        {{ pseudonym("doc ->> 'email'") }} as email_pseudonym,
        lower(split_part(doc ->> 'email', '@', 2)) as email_domain,
        doc ->> 'role' as contact_role,
        coalesce((doc ->> 'is_deleted')::boolean, false) as is_deleted,
        (doc ->> 'created_on')::date as created_date,
        (doc ->> 'left_on')::date as left_date,
        source_updated_at

    from newest

)

select * from renamed
