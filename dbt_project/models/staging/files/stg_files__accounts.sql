with

newest as (

    {{ newest_version('files', 'accounts') }}

),

renamed as (

    select
        doc ->> 'account_id' as account_id,
        doc ->> 'parent_account_id' as parent_account_id,
        doc ->> 'owner_id' as owner_id,
        doc ->> 'name' as account_name,
        doc ->> 'segment' as segment,
        doc ->> 'industry' as industry,
        doc ->> 'country' as country,
        doc ->> 'region' as region,
        doc ->> 'time_zone' as timezone,
        doc ->> 'plan' as plan,
        regexp_split_to_array(
            nullif(trim(doc ->> 'merged_account_ids'), ''), '\s*;\s*'
        ) as merged_account_ids,
        coalesce(ops.try_boolean(doc ->> 'is_deleted'), false) as is_deleted,
        ops.try_bigint(doc ->> 'seats') as seats,
        ops.try_integer(doc ->> 'notice_days') as notice_days,
        {{ decimal("doc ->> 'annual_budget_amount'", 18, 4) }} as annual_budget_amount,
        ops.try_boolean(doc ->> 'claimed_churned') as claimed_churned,
        ops.try_date(doc ->> 'signed_up_on') as signed_up_date,
        source_updated_at

    from newest

)

select * from renamed
