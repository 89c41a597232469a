with

months as (

    select * from {{ ref('int_retention_by_month') }}

),

trailing_years as (

    select * from {{ ref('int_retention_trailing_year') }}

),

benchmarks as (

    select * from {{ ref('benchmarks') }}

    where industry = {{ policy('benchmark_industry', 'text') }}

),

-- Rates are null where there was nobody to keep: no customers is not a retention of
-- zero.
rates as (

    select
        *,
        (retained_customers::numeric / nullif(opening_customers, 0))::numeric(9, 6)
            as customer_retention_rate,
        (
            (closing_customers - new_customers)::numeric / nullif(opening_customers, 0)
        )::numeric(9, 6) as customer_retention_rate_arithmetic,
        (
            (opening_customers - retained_customers)::numeric
            / nullif(opening_customers, 0)
        )::numeric(9, 6) as logo_churn_rate,
        (-(contraction_amount + churn_amount) / nullif(opening_amount, 0))::numeric(
            9, 6
        )
            as revenue_churn_rate,
        (kept_at_most_amount / nullif(opening_amount, 0))::numeric(9, 6) as grr,
        (kept_amount / nullif(opening_amount, 0))::numeric(9, 6) as nrr,
        (
            (
                new_amount + expansion_amount
                + case
                    when {{ policy('quick_ratio_counts_reactivation', 'boolean') }}
                        then reactivation_amount
                    else 0
                end
            ) / nullif(-(contraction_amount + churn_amount), 0)
        )::numeric(12, 4) as quick_ratio,
        (closing_amount / nullif(closing_customers, 0))::numeric(18, 4) as arpa_amount,
        (
            closing_amount - opening_amount - new_amount - expansion_amount
            - contraction_amount - churn_amount - reactivation_amount
        )::numeric(18, 4) as fx_amount

    from months

)

select
    rates.month,
    rates.segment,
    rates.reporting_currency,
    rates.opening_customers,
    rates.new_customers,
    rates.reactivated_customers,
    rates.churned_customers,
    rates.closing_customers,
    rates.retained_customers,
    rates.customer_retention_rate,
    rates.customer_retention_rate_arithmetic,
    rates.logo_churn_rate,
    rates.opening_amount,
    rates.new_amount,
    rates.expansion_amount,
    rates.contraction_amount,
    rates.churn_amount,
    rates.reactivation_amount,
    rates.fx_amount,
    rates.closing_amount,
    rates.revenue_churn_rate,
    rates.grr,
    rates.nrr,
    rates.quick_ratio,
    rates.arpa_amount,
    trailing_years.trailing_year_opening_customers,
    trailing_years.trailing_year_retention_rate,
    trailing_years.trailing_year_grr,
    trailing_years.trailing_year_nrr,
    case
        when
            trailing_years.trailing_year_retention_rate < benchmarks.low_rate
            then 'below'
        when
            trailing_years.trailing_year_retention_rate <= benchmarks.high_rate
            then 'in'
        when
            trailing_years.trailing_year_retention_rate > benchmarks.high_rate
            then 'above'
    end as benchmark_verdict,
    rates.unconverted_customers

from rates
left join trailing_years
    on
        rates.month = trailing_years.month
        and rates.segment = trailing_years.segment
left join benchmarks on true
