with

newest as (

    {{ newest_version('hubspot', 'owners', keep_deleted=true) }}

),

renamed as (

    select
        record_id as owner_id,
        nullif(
            trim(concat_ws(' ', doc ->> 'firstName', doc ->> 'lastName')), ''
        ) as owner_name,
        {{ pseudonym("doc ->> 'email'") }} as email_pseudonym,
        deleted as is_deleted

    from newest

)

select * from renamed
