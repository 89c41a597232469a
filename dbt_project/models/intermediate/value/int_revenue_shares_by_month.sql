{{ config(materialized='table') }}

with

months as (

    select * from {{ ref('int_months') }}

),

mrr_by_month as (

    select * from {{ ref('int_mrr_by_month') }}

),

customer_groups as (

    select * from {{ ref('int_customer_groups') }}

),

-- Grouped by ultimate parent: the subsidiaries of one group are one concentration risk.
revenue as (

    select
        months.month,
        customer_groups.group_id,
        count(distinct mrr_by_month.month) as months_paid,
        sum(
            (
                mrr_by_month.closing_amount * mrr_by_month.closing_fx_rate
            )::numeric(18, 4)
        ) as revenue_amount

    from months
    inner join mrr_by_month
        on
            months.month >= mrr_by_month.month
            and months.month < (mrr_by_month.month + interval '12 months')::date
    inner join customer_groups
        on mrr_by_month.customer_id = customer_groups.customer_id

    where mrr_by_month.closing_amount > 0

    group by months.month, customer_groups.group_id

)

select
    month,
    group_id,
    revenue_amount,
    revenue_amount
    / nullif(sum(revenue_amount) over (partition by month), 0) as share,
    row_number() over groups_in_order as size_rank,
    sum(revenue_amount) over groups_in_order
    / nullif(sum(revenue_amount) over (partition by month), 0) as running_share

from revenue

window
    groups_in_order as (
        partition by month order by revenue_amount desc, group_id asc
    )
