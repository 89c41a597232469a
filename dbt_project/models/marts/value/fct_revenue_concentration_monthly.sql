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

health as (

    select * from {{ ref('fct_customer_health_daily') }}

),

shares as (

    select * from {{ ref('int_revenue_shares_by_month') }}

),

current_mrr as (

    select
        customer_id,
        month,
        sum((closing_amount * closing_fx_rate)::numeric(18, 4)) as amount

    from mrr_by_month

    group by customer_id, month

),

-- MRR of the largest groups, and its part from customers in the red band at the month
-- end; null without a score that day.
risk as (

    select
        months.month,
        sum(current_mrr.amount) as top_mrr_amount,
        sum(current_mrr.amount) filter (where health.band is not null)
            as scored_amount,
        coalesce(sum(current_mrr.amount) filter (where health.band = 'red'), 0)
            as red_amount

    from months
    inner join shares on months.month = shares.month
    inner join customer_groups on shares.group_id = customer_groups.group_id
    inner join current_mrr
        on
            customer_groups.customer_id = current_mrr.customer_id
            and months.month = current_mrr.month
    left join health
        on
            customer_groups.customer_id = health.customer_id
            and months.closing_date = health.as_of_date

    where shares.size_rank <= {{ policy('concentration_top', 'int') }}

    group by months.month

),

sums as (

    select
        month,
        count(*) as paying_groups,
        sum(revenue_amount)::numeric(18, 4) as revenue_amount,
        sum(revenue_amount) filter (
            where size_rank <= {{ policy('concentration_top', 'int') }}
        )::numeric(18, 4) as top_revenue_amount,
        sum(share) filter (
            where size_rank <= {{ policy('concentration_top', 'int') }}
        )::numeric(9, 6) as top_share,
        max(share)::numeric(9, 6) as largest_share,
        sum(share * share)::numeric(9, 6) as hhi,
        (
            count(*) filter (
                where running_share < {{ policy('concentration_share') }}
            ) + 1
        ) as groups_covering_share

    from shares

    group by month

)

select
    sums.month,
    {{ policy('reporting_currency', 'text') }} as reporting_currency,
    least(12, rank() over (order by sums.month)) as months_of_revenue,
    sums.paying_groups,
    sums.revenue_amount,
    sums.top_revenue_amount,
    sums.top_share,
    sums.largest_share,
    sums.hhi,
    sums.groups_covering_share,
    (sums.groups_covering_share::numeric / sums.paying_groups)::numeric(9, 6)
        as groups_covering_share_rate,
    risk.top_mrr_amount::numeric(18, 4) as top_mrr_amount,
    case when risk.scored_amount > 0 then risk.red_amount end::numeric(18, 4)
        as top_mrr_at_risk_amount

from sums
left join risk on sums.month = risk.month
