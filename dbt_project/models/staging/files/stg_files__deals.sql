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
        {{ decimal("doc ->> 'amount'", 18, 4) }} as deal_amount,
        ops.try_boolean(doc ->> 'is_closed') as is_closed,
        ops.try_boolean(doc ->> 'is_won') as is_won,
        ops.try_date(doc ->> 'created_on') as created_date,
        ops.try_date(doc ->> 'closes_on') as closes_date,
        source_updated_at

    from newest

)

select * from renamed
