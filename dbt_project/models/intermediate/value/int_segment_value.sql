{{ config(tags=['statistics']) }}

with

months as (

    select * from {{ ref('int_retention_by_dimension') }}

    where
        period = 'month'
        and dimension in ('all', 'segment')
        and starts_date > ({{ as_of() }} + 1 - interval '13 months')::date

),

lifetimes as (

    select * from {{ source('statistics', 'lifetime') }}

    where tenure_months = 0

),

unit_costs as (

    select * from {{ ref('int_unit_costs') }}

),

-- Churned customers of the last twelve months over customers at risk.
churn as (

    select
        dimension_value as segment,
        max(reporting_currency) as reporting_currency,
        sum(lost_customers) / nullif(sum(opening_customers), 0) as monthly_churn,
        (array_agg(closing_customers order by starts_date desc))[1]
            as paying_customers,
        (array_agg(closing_amount order by starts_date desc))[1] as mrr_amount

    from months

    group by dimension_value

),

expected as (

    select
        segment,
        max(expected_months) filter (where draw = 0) as expected_months,
        max(expected_months) filter (where draw = 5) as expected_months_low,
        max(expected_months) filter (where draw = 95) as expected_months_high,
        max(method) as lifetime_method,
        max(version) as model_version

    from lifetimes

    group by segment

),

worth as (

    select
        churn.*,
        churn.mrr_amount / nullif(churn.paying_customers, 0) as arpa,
        unit_costs.gross_margin,
        unit_costs.acquisition_cost,
        unit_costs.retention_cost,
        churn.mrr_amount / nullif(churn.paying_customers, 0) * unit_costs.gross_margin
            as margin,
        expected.expected_months,
        expected.expected_months_low,
        expected.expected_months_high,
        expected.lifetime_method,
        expected.model_version

    from churn
    left join unit_costs on churn.segment = unit_costs.segment
    left join expected on churn.segment = expected.segment

),

-- Share of draws in which CLV reaches the target multiple of the acquisition cost.
probable as (

    select
        worth.segment,
        avg(
            case
                when
                    lifetimes.expected_months * worth.margin
                    >= {{ policy('clv_cac_target') }} * worth.acquisition_cost
                    then 1.0
                else 0
            end
        ) as probability

    from worth
    inner join lifetimes
        on worth.segment = lifetimes.segment and lifetimes.draw > 0

    where worth.margin is not null and worth.acquisition_cost is not null

    group by worth.segment

)

select
    worth.segment,
    worth.reporting_currency,
    worth.paying_customers,
    worth.arpa::numeric(18, 4) as arpa_amount,
    worth.gross_margin::numeric(9, 6) as gross_margin_rate,
    worth.monthly_churn::numeric(9, 6) as monthly_churn_rate,
    worth.expected_months::numeric(12, 4) as expected_months,
    worth.expected_months_low::numeric(12, 4) as expected_months_low,
    worth.expected_months_high::numeric(12, 4) as expected_months_high,
    worth.lifetime_method,
    (worth.arpa / nullif(worth.monthly_churn, 0))::numeric(18, 4)
        as clv_revenue_amount,
    (worth.margin / nullif(worth.monthly_churn, 0))::numeric(18, 4)
        as clv_churn_amount,
    (worth.margin * worth.expected_months)::numeric(18, 4) as clv_survival_amount,
    (worth.margin * worth.expected_months_low)::numeric(18, 4)
        as clv_survival_low_amount,
    (worth.margin * worth.expected_months_high)::numeric(18, 4)
        as clv_survival_high_amount,
    worth.acquisition_cost::numeric(18, 4) as acquisition_cost_amount,
    worth.retention_cost::numeric(18, 4) as monthly_retention_cost_amount,
    (worth.margin * worth.expected_months / nullif(worth.acquisition_cost, 0))::numeric(
        12, 4
    )
        as clv_to_cac_ratio,
    probable.probability::numeric(9, 6) as ratio_met_probability,
    (worth.acquisition_cost / nullif(worth.margin, 0))::numeric(12, 4)
        as payback_months,
    (worth.acquisition_cost / nullif(worth.retention_cost * 12, 0))::numeric(12, 4)
        as acquisition_to_retention_ratio,
    worth.margin * worth.expected_months
    < {{ policy('clv_cac_target') }} * worth.acquisition_cost as is_ratio_below_target,
    worth.acquisition_cost / nullif(worth.margin, 0)
    > {{ policy('payback_target_months') }} as is_payback_late,
    worth.model_version,
    {{ as_of() }} as as_of_date

from worth
left join probable on worth.segment = probable.segment
