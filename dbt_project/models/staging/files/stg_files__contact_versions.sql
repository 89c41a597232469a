with

versions as (

    {{ record_versions('files', 'contacts', keep_deleted=true) }}

),

renamed as (

    select
        doc ->> 'contact_id' as contact_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'role' as contact_role,
        version_number,
        deleted as is_deleted,
        ops.try_date(doc ->> 'created_on') as created_date,
        ops.try_date(doc ->> 'left_on') as left_date,
        valid_from

    from versions

)

select * from renamed
