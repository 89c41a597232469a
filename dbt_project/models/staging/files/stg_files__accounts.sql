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
        coalesce((doc ->> 'is_deleted')::boolean, false) as is_deleted,
        (doc ->> 'seats')::bigint as seats,
        (doc ->> 'notice_days')::int as notice_days,
        (doc ->> 'annual_budget_amount')::numeric(18, 4) as annual_budget_amount,
        (doc ->> 'claimed_churned')::boolean as claimed_churned,
        (doc ->> 'signed_up_on')::date as signed_up_date,
        source_updated_at

    from newest

)

select * from renamed
