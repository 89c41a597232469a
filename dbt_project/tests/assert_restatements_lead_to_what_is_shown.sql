-- The first published figure of a month plus all its restatements must equal the
-- current one.
with

told as (

    select
        customer_id,
        currency,
        month,
        mrr_amount

    from {{ ref('int_mrr_month_versions') }}

    where not is_restated

    union all

    select
        customer_id,
        currency,
        month,
        restated_amount as mrr_amount

    from {{ ref('fct_restatements') }}

    union all

    select
        customer_id,
        currency,
        month,
        -closing_amount as mrr_amount

    from {{ ref('int_mrr_by_month') }}

)

select
    customer_id,
    currency,
    month,
    sum(mrr_amount) as left_over

from told

group by customer_id, currency, month

having sum(mrr_amount) != 0
