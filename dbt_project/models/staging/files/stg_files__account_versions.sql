with

versions as (

    {{ record_versions('files', 'accounts') }}

),

renamed as (

    select
        doc ->> 'account_id' as account_id,
        doc ->> 'segment' as segment,
        doc ->> 'industry' as industry,
        doc ->> 'country' as country,
        doc ->> 'region' as region,
        doc ->> 'plan' as plan,
        doc ->> 'owner_id' as owner_id,
        version_number,
        valid_from::date as valid_from_date

    from versions

)

select * from renamed
