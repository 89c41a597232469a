with

versions as (

    {{ record_versions('hubspot', 'companies') }}

),

renamed as (

    select
        record_id as company_id,
        nullif(doc #>> '{properties,customer_segment}', '') as segment,
        nullif(doc #>> '{properties,industry}', '') as industry,
        nullif(doc #>> '{properties,country}', '') as country,
        nullif(doc #>> '{properties,hubspot_owner_id}', '') as owner_id,
        version_number,
        valid_from::date as valid_from_date

    from versions

)

select * from renamed
