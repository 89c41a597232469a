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
        coalesce(ops.try_boolean(doc ->> 'is_deleted'), false) as is_deleted,
        ops.try_date(doc ->> 'created_on') as created_date,
        ops.try_date(doc ->> 'left_on') as left_date,
        source_updated_at

    from newest

)

select * from renamed
