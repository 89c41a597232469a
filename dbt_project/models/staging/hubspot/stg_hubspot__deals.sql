with

newest as (

    {{ newest_version('hubspot', 'deals') }}

),

renamed as (

    select
        record_id as deal_id,
        doc #>> '{associations,companies,results,0,id}' as company_id,
        nullif(doc #>> '{properties,dealname}', '') as deal_name,
        nullif(doc #>> '{properties,dealstage}', '') as deal_stage,
        nullif(doc #>> '{properties,dealtype}', '') as deal_type,
        nullif(doc #>> '{properties,deal_currency_code}', '') as currency,
        nullif(doc #>> '{properties,closed_lost_reason}', '') as lost_reason,
        {{ decimal("doc #>> '{properties,amount}'", 18, 4) }} as deal_amount,
        ops.try_boolean(doc #>> '{properties,hs_is_closed}') as is_closed,
        ops.try_boolean(doc #>> '{properties,hs_is_closed_won}') as is_won,
        {{ moment('createdate') }} as created_at,
        {{ moment('closedate') }} as closes_at,
        source_updated_at

    from newest

)

select * from renamed
