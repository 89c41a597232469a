{{ config(tags=['statistics']) }}

with

segments as (

    select * from {{ ref('int_segment_value') }}

),

settings as (

    select
        {{ policy('what_if_retention_points') }} as points,
        {{ policy('clv_horizon_months', 'int') }} as horizon,
        (1 + {{ policy('discount_rate') }}) ^ (-1.0 / 12) as discount

),

-- The same customers with a yearly retention raised by the policy's points, at most 1.
rates as (

    select
        segments.*,
        settings.*,
        (1 - segments.monthly_churn_rate) ^ 12 as retention,
        -- `least` skips a null, so a segment without a churn rate needs the case.
        case
            when segments.monthly_churn_rate is not null
                then
                    least(
                        1, (1 - segments.monthly_churn_rate) ^ 12 + settings.points
                    )
        end as better_retention,
        segments.arpa_amount * segments.gross_margin_rate
        - segments.monthly_retention_cost_amount as monthly_profit

    from segments
    cross join settings

),

-- Expected discounted months: a geometric series of retention and discount.
factors as (

    select
        *,
        (1 - (retention ^ (1.0 / 12) * discount) ^ horizon)
        / (1 - retention ^ (1.0 / 12) * discount) as months,
        (1 - (better_retention ^ (1.0 / 12) * discount) ^ horizon)
        / (1 - better_retention ^ (1.0 / 12) * discount) as better_months

    from rates

),

claims as (

    select * from {{ ref('benchmarks') }}

    where metric = 'profit_growth_of_five_points'

),

profits as (

    select
        *,
        monthly_profit * months - acquisition_cost_amount as profit,
        monthly_profit * better_months - acquisition_cost_amount as better_profit

    from factors

)

select
    profits.segment,
    profits.reporting_currency,
    profits.paying_customers,
    profits.arpa_amount,
    profits.gross_margin_rate,
    profits.monthly_churn_rate,
    profits.expected_months,
    profits.expected_months_low,
    profits.expected_months_high,
    profits.lifetime_method,
    profits.clv_revenue_amount,
    profits.clv_churn_amount,
    profits.clv_survival_amount,
    profits.clv_survival_low_amount,
    profits.clv_survival_high_amount,
    profits.acquisition_cost_amount,
    profits.monthly_retention_cost_amount,
    profits.clv_to_cac_ratio,
    profits.ratio_met_probability,
    profits.payback_months,
    profits.is_ratio_below_target,
    profits.is_payback_late,
    profits.acquisition_to_retention_ratio,
    profits.retention::numeric(9, 6) as yearly_retention_rate,
    profits.better_retention::numeric(9, 6) as what_if_retention_rate,
    profits.months::numeric(12, 4) as discounted_months,
    profits.better_months::numeric(12, 4) as what_if_discounted_months,
    profits.profit::numeric(18, 4) as profit_per_customer_amount,
    profits.better_profit::numeric(18, 4) as what_if_profit_per_customer_amount,
    -- Growth of a loss is not defined.
    case
        when
            profits.profit > 0
            then (profits.better_profit - profits.profit) / profits.profit
    end::numeric(12, 6) as profit_growth_rate,
    claims.low_rate as claimed_growth_low_rate,
    claims.high_rate as claimed_growth_high_rate,
    case
        when profits.profit is null or profits.profit <= 0 then null
        when
            (profits.better_profit - profits.profit) / profits.profit < claims.low_rate
            then 'below_claim'
        when
            (profits.better_profit - profits.profit) / profits.profit
            <= claims.high_rate
            then 'in_claim'
        else 'above_claim'
    end as claim_verdict,
    profits.model_version,
    profits.as_of_date

from profits
left join claims on true
