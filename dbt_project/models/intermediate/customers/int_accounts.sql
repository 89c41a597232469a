with

hubspot_companies as (

    select * from {{ ref('stg_hubspot__companies') }}

),

files_accounts as (

    select * from {{ ref('stg_files__accounts') }}

),

unioned as (

    select
        'hubspot' as source,
        company_id as source_key,
        parent_company_id as parent_source_key,
        owner_id,
        company_name as account_name,
        domain,
        segment,
        industry,
        country,
        timezone,
        null::text as plan,
        null::bigint as seats,
        notice_days,
        null::numeric(18, 4) as annual_budget_amount,
        null::boolean as claimed_churned,
        is_deleted,
        created_at::date as signed_up_date,
        merged_company_ids as merged_source_keys

    from hubspot_companies

    union all

    select
        'files' as source,
        account_id as source_key,
        parent_account_id as parent_source_key,
        owner_id,
        account_name,
        null as domain,
        segment,
        industry,
        country,
        timezone,
        plan,
        seats,
        notice_days,
        annual_budget_amount,
        claimed_churned,
        is_deleted,
        signed_up_date,
        merged_account_ids as merged_source_keys

    from files_accounts

)

select * from unioned
