with

paying as (

    select * from {{ ref('int_retention_by_customer_month') }}

    where is_kept

),

year_ago as (

    select * from {{ ref('int_retention_by_customer_year') }}

),

-- New projects are expansions sold on top of the contract.
projects as (

    select
        customer_id,
        date_trunc('month', closes_date)::date as month,
        count(*) as new_projects

    from {{ ref('int_deals') }}

    where deal_kind = 'expansion' and is_won and closes_date <= {{ as_of() }}

    group by customer_id, date_trunc('month', closes_date)

),

customers as (

    select * from {{ ref('int_customers') }}

),

joined as (

    select
        paying.month,
        paying.customer_id,
        paying.segment,
        paying.closing_amount as mrr_amount,
        year_ago.then_amount as year_ago_mrr_amount,
        -- At the exchange rate of a year ago, to exclude the FX effect; null without
        -- MRR a year ago.
        (year_ago.now_amount / nullif(year_ago.then_amount, 0) - 1)::numeric(9, 6)
            as growth_rate,
        paying.expansion_amount as expansion_mrr_amount,
        (paying.expansion_amount / nullif(paying.opening_amount, 0))::numeric(9, 6)
            as expansion_rate,
        coalesce(projects.new_projects, 0) as new_projects,
        (
            12 * paying.closing_amount / nullif(customers.annual_budget_amount, 0)
        )::numeric(9, 6) as wallet_share

    from paying
    left join year_ago
        on
            paying.customer_id = year_ago.customer_id
            and paying.month = year_ago.month
    left join projects
        on
            paying.customer_id = projects.customer_id
            and paying.month = projects.month
    inner join customers on paying.customer_id = customers.customer_id

)

select
    *,
    sum(new_projects) over (
        partition by customer_id order by month
        range between interval '2 months' preceding and current row
    )::bigint as quarter_new_projects,
    wallet_share - lag(wallet_share, 3) over (
        partition by customer_id order by month
    ) as quarter_wallet_share_change

from joined
