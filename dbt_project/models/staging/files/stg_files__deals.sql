with

newest as (

    {{ newest_version('files', 'deals') }}

),

renamed as (

    select
        doc ->> 'deal_id' as deal_id,
        doc ->> 'account_id' as account_id,
        doc ->> 'name' as deal_name,
        doc ->> 'kind' as deal_kind,
        doc ->> 'stage' as deal_stage,
        doc ->> 'currency' as currency,
        doc ->> 'lost_reason' as lost_reason,
        (doc ->> 'amount')::numeric(18, 4) as deal_amount,
        (doc ->> 'is_closed')::boolean as is_closed,
        (doc ->> 'is_won')::boolean as is_won,
        (doc ->> 'created_on')::date as created_date,
        (doc ->> 'closes_on')::date as closes_date,
        source_updated_at

    from newest

)

select * from renamed
