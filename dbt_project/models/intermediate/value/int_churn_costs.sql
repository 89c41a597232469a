with

churns as (

    select * from {{ ref('int_churns') }}

),

unit_costs as (

    select * from {{ ref('int_unit_costs') }}

),

mrr_by_month as (

    select * from {{ ref('int_mrr_by_month') }}

),

-- Revenue of the complete months before the churn.
collected as (

    select
        churns.customer_id,
        churns.churned_date,
        sum(
            (
                mrr_by_month.closing_amount * mrr_by_month.closing_fx_rate
            )::numeric(18, 4)
        ) as revenue_amount

    from churns
    inner join mrr_by_month
        on
            churns.customer_id = mrr_by_month.customer_id
            and mrr_by_month.month < date_trunc('month', churns.churned_date)

    group by churns.customer_id, churns.churned_date

),

costs as (

    select
        churns.customer_id,
        churns.churned_date,
        unit_costs.acquisition_cost,
        unit_costs.retention_cost,
        coalesce(collected.revenue_amount, 0) as revenue_amount,
        churns.lost_mrr_amount * unit_costs.gross_margin
        * {{ policy('contract_horizon_months', 'int') }} as foregone_margin,
        greatest(
            0,
            unit_costs.acquisition_cost
            - (
                coalesce(collected.revenue_amount, 0) * unit_costs.gross_margin
            )
        ) as unrecovered

    from churns
    left join unit_costs on churns.segment = unit_costs.segment
    left join collected
        on
            churns.customer_id = collected.customer_id
            and churns.churned_date = collected.churned_date

)

-- An unknown cost is null; the total adds the known parts.
select
    customer_id,
    churned_date,
    revenue_amount::numeric(18, 4) as collected_revenue_amount,
    foregone_margin::numeric(18, 4) as foregone_margin_amount,
    case
        when acquisition_cost is not null and foregone_margin is not null
            then unrecovered
    end::numeric(18, 4) as unrecovered_acquisition_amount,
    case
        when acquisition_cost is not null and foregone_margin is not null
            then foregone_margin + unrecovered
        else foregone_margin
    end::numeric(18, 4) as total_cost_amount,
    acquisition_cost::numeric(18, 4) as acquisition_cost_amount,
    (retention_cost * 12)::numeric(18, 4) as yearly_retention_cost_amount,
    (acquisition_cost / nullif(retention_cost * 12, 0))::numeric(12, 4)
        as acquisition_to_retention_ratio

from costs
