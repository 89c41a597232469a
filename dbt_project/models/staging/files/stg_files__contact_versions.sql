with

versions as (

    {{ all_versions('files', 'contacts') }}

),

renamed as (

    select
        doc ->> 'contact_id' as contact_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'role' as contact_role,
        version_rank,
        deleted as is_deleted,
        (doc ->> 'created_on')::date as created_date,
        (doc ->> 'left_on')::date as left_date,
        version_at

    from versions

)

select * from renamed
