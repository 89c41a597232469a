-- Every figure of the pack must have a row with its key in the mart it names.
with

lines as (

    select * from {{ ref('fct_business_review_pack') }}

    where not is_missing

),

known as (

    select
        'fct_customer_quarters' as mart,
        jsonb_build_object('quarter', quarter, 'customer_id', customer_id) as mart_key

    from {{ ref('fct_customer_quarters') }}

    union all

    select
        'fct_business_reviews' as mart,
        jsonb_build_object('source', source, 'review_id', review_id) as mart_key

    from {{ ref('fct_business_reviews') }}

    union all

    select
        'fct_stakeholder_coverage' as mart,
        jsonb_build_object('customer_id', customer_id, 'as_of_date', as_of_date)
            as mart_key

    from {{ ref('fct_stakeholder_coverage') }}

    union all

    select
        'fct_product_adoption_daily' as mart,
        jsonb_build_object('customer_id', customer_id, 'as_of_date', as_of_date)
            as mart_key

    from {{ ref('fct_product_adoption_daily') }}

)

select
    lines.quarter,
    lines.customer_id,
    lines.line,
    lines.mart

from lines
left join known
    on
        lines.mart = known.mart
        and lines.mart_key = known.mart_key

where known.mart is null
