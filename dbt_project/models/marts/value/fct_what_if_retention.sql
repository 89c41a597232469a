with

segments as (

    select * from {{ ref('fct_segment_value') }}

    where monthly_churn_rate is not null and arpa_amount is not null

),

settings as (

    select
        {{ policy('what_if_retention_points') }} as points,
        {{ policy('clv_horizon_months', 'int') }} as horizon,
        (1 + {{ policy('discount_rate') }}) ^ (-1.0 / 12) as discount

),

-- The same customers with a few points more of yearly retention, at most all of them.
rates as (

    select
        segments.*,
        settings.*,
        (1 - segments.monthly_churn_rate) ^ 12 as retention,
        least(1, (1 - segments.monthly_churn_rate) ^ 12 + settings.points)
            as better_retention,
        segments.arpa_amount * segments.gross_margin_rate
        - segments.monthly_retention_cost_amount as monthly_profit

    from segments
    cross join settings

),

-- A sum that shrinks by churn and discount, month by month: a geometric series.
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
    profits.retention::numeric(9, 6) as yearly_retention_rate,
    profits.better_retention::numeric(9, 6) as what_if_retention_rate,
    profits.months::numeric(12, 4) as expected_months,
    profits.better_months::numeric(12, 4) as what_if_expected_months,
    profits.profit::numeric(18, 4) as profit_per_customer_amount,
    profits.better_profit::numeric(18, 4) as what_if_profit_per_customer_amount,
    -- Of a loss no growth can be told.
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
    (
        profits.acquisition_cost_amount
        / nullif(profits.monthly_retention_cost_amount * 12, 0)
    )::numeric(
        12, 4
    )
        as acquisition_to_retention_ratio,
    profits.as_of_date

from profits
left join claims on true
