with

newest as (

    {{ newest_version('hubspot', 'companies', keep_deleted=true) }}

),

renamed as (

    select
        record_id as company_id,
        nullif(doc #>> '{properties,name}', '') as company_name,
        lower(nullif(doc #>> '{properties,domain}', '')) as domain,
        nullif(doc #>> '{properties,customer_segment}', '') as segment,
        nullif(doc #>> '{properties,industry}', '') as industry,
        nullif(doc #>> '{properties,country}', '') as country,
        nullif(doc #>> '{properties,timezone}', '') as timezone,
        nullif(doc #>> '{properties,hubspot_owner_id}', '') as owner_id,
        nullif(doc #>> '{properties,hs_parent_company_id}', '') as parent_company_id,
        string_to_array(nullif(doc #>> '{properties,hs_merged_object_ids}', ''), ';')
            as merged_company_ids,
        ops.try_integer(doc #>> '{properties,notice_period_days}') as notice_days,
        deleted as is_deleted,
        {{ moment('createdate') }} as created_at,
        source_updated_at

    from newest

)

select * from renamed
