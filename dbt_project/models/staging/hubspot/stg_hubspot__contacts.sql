with

newest as (

    {{ newest_version('hubspot', 'contacts', keep_deleted=true) }}

),

renamed as (

    select
        record_id as contact_id,
        doc #>> '{associations,companies,results,0,id}' as company_id,
        nullif(
            trim(concat_ws(
                ' ',
                doc #>> '{properties,firstname}',
                doc #>> '{properties,lastname}'
            )), ''
        ) as contact_name,
        nullif(doc #>> '{properties,email}', '') as email,
        {{ pseudonym("doc #>> '{properties,email}'") }} as email_pseudonym,
        lower(split_part(nullif(doc #>> '{properties,email}', ''), '@', 2))
            as email_domain,
        nullif(doc #>> '{properties,customer_role}', '') as contact_role,
        deleted as is_deleted,
        ({{ moment('left_company_on') }})::date as left_date,
        {{ moment('createdate') }} as created_at,
        source_updated_at

    from newest

)

select * from renamed
