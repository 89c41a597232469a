with

newest as (

    {{ newest_version('hubspot', 'owners') }}

),

renamed as (

    select
        record_id as owner_id,
        nullif(
            trim(concat_ws(' ', doc ->> 'firstName', doc ->> 'lastName')), ''
        ) as owner_name,
        {{ pseudonym("doc ->> 'email'") }} as email_pseudonym

    from newest

)

select * from renamed
