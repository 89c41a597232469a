with

newest as (

    {{ newest_version('files', 'owners') }}

),

renamed as (

    select
        doc ->> 'owner_id' as owner_id,
        doc ->> 'name' as owner_name,
        {{ pseudonym("doc ->> 'email'") }} as email_pseudonym

    from newest

)

select * from renamed
