{{ config(materialized='table') }}

with

quarters as (

    select * from {{ ref('int_fiscal_quarters') }}

    where is_complete

),

mrr_by_month as (

    select * from {{ ref('int_mrr_by_month') }}

),

-- Opening and closing MRR at the opening rate, to exclude the FX effect.
amounts as (

    select
        quarters.quarter,
        quarters.ends_date,
        opening.customer_id,
        sum((opening.opening_amount * opening.opening_fx_rate)::numeric(18, 4))
            as opening_mrr_amount,
        coalesce(
            sum((closing.closing_amount * opening.opening_fx_rate)::numeric(18, 4)), 0
        ) as kept_mrr_amount

    from quarters
    inner join mrr_by_month as opening on quarters.quarter = opening.month
    left join mrr_by_month as closing
        on
            opening.customer_id = closing.customer_id
            and opening.currency = closing.currency
            and (quarters.ends_date - interval '1 month')::date = closing.month

    where opening.opening_amount > 0

    group by quarters.quarter, quarters.ends_date, opening.customer_id

),

-- The reason recorded nearest to the churn; seed commercial_tags marks the deliberate
-- ones.
reasons as (

    select
        customer_id,
        lower(lost_reason) as reason,
        closes_date as reason_date

    from {{ ref('int_deals') }}

    where lost_reason is not null

    union all

    select
        customer_id,
        lower(reason) as reason,
        churned_date as reason_date

    from {{ ref('int_churn_claims') }}

),

deliberate as (

    select distinct
        amounts.quarter,
        amounts.customer_id

    from amounts
    inner join reasons
        on
            amounts.customer_id = reasons.customer_id
            and amounts.quarter <= reasons.reason_date
            and amounts.ends_date > reasons.reason_date
    inner join {{ ref('commercial_tags') }} as tags
        on reasons.reason = tags.vendor_value and tags.tag = 'deliberate_exit'

    where amounts.kept_mrr_amount = 0

)

select
    amounts.*,
    coalesce(managers.csm_owner_id, 'none') as csm_id,
    amounts.kept_mrr_amount > 0 as is_kept,
    deliberate.customer_id is not null as is_deliberate_exit

from amounts
left join {{ ref('int_customer_attribute_ranges') }} as managers
    on
        amounts.customer_id = managers.customer_id
        and amounts.quarter >= managers.starts_date
        and (managers.ends_date is null or amounts.quarter < managers.ends_date)
left join deliberate
    on
        amounts.quarter = deliberate.quarter
        and amounts.customer_id = deliberate.customer_id
