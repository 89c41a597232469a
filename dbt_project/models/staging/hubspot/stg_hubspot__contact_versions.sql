with

versions as (

    {{ all_versions('hubspot', 'contacts') }}

),

renamed as (

    select
        record_id as contact_id,
        doc #>> '{associations,companies,results,0,id}' as company_id,
        nullif(doc #>> '{properties,customer_role}', '') as contact_role,
        version_rank,
        deleted as is_deleted,
        ({{ moment('left_company_on') }})::date as left_date,
        {{ moment('createdate') }} as created_at,
        version_at

    from versions

)

select * from renamed
