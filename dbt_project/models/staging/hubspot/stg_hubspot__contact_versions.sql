with

versions as (

    {{ record_versions('hubspot', 'contacts', keep_deleted=true) }}

),

renamed as (

    select
        record_id as contact_id,
        doc #>> '{associations,companies,results,0,id}' as company_id,
        nullif(doc #>> '{properties,customer_role}', '') as contact_role,
        version_number,
        deleted as is_deleted,
        ({{ moment('left_company_on') }})::date as left_date,
        {{ moment('createdate') }} as created_at,
        valid_from

    from versions

)

select * from renamed
