with

by_dimension as (

    select * from {{ ref('int_retention_by_dimension') }}

),

trailing_years as (

    select * from {{ ref('int_retention_trailing_year') }}

),

owners as (

    select * from {{ ref('int_owners') }}

),

benchmarks as (

    select * from {{ ref('benchmarks') }}

    where metric = 'annual_customer_retention'

),

periods as (

    select
        *,
        12 / case period when 'month' then 1 when 'quarter' then 3 else 12 end
            as periods_a_year,
        closing_amount - opening_amount - new_amount - expansion_amount
        - contraction_amount - churn_amount - reactivation_amount as fx_amount,
        new_amount + expansion_amount
        + case
            when {{ policy('quick_ratio_counts_reactivation', 'boolean') }}
                then reactivation_amount
            else 0
        end as gained_amount,
        -(contraction_amount + churn_amount) as lost_amount,
        nullif(opening_customers, 0)::numeric as customers,
        nullif(opening_amount, 0) as money

    from by_dimension

),

-- Without opening customers a rate is null, not zero.
rates as (

    select
        *,
        lost_customers / customers as churn,
        {{ wilson('lost_customers', 'opening_customers', '-', 'churn_interval_z') }}
            as churn_low,
        {{ wilson('lost_customers', 'opening_customers', '+', 'churn_interval_z') }}
            as churn_high,
        1 - (1 - {{ policy('target_annual_churn') }}) ^ (1.0 / periods_a_year)
            as target

    from periods

)

select
    rates.period,
    rates.starts_date,
    rates.closing_date,
    rates.dimension,
    rates.dimension_value,
    coalesce(owners.csm_name, rates.dimension_value) as dimension_label,
    rates.reporting_currency,
    rates.opening_customers,
    rates.new_customers,
    rates.reactivated_customers,
    rates.churned_customers,
    rates.closing_customers,
    rates.retained_customers,
    rates.lost_customers,
    (rates.retained_customers / rates.customers)::numeric(9, 6)
        as customer_retention_rate,
    ((rates.closing_customers - rates.new_customers) / rates.customers)::numeric(9, 6)
        as customer_retention_rate_arithmetic,
    rates.churn::numeric(9, 6) as logo_churn_rate,
    rates.churn_low as logo_churn_rate_low,
    rates.churn_high as logo_churn_rate_high,
    (1 - (1 - rates.churn) ^ rates.periods_a_year)::numeric(9, 6)
        as annualised_churn_rate,
    rates.target::numeric(9, 6) as target_churn_rate,
    -- above_target needs no minimum of customers: its interval already excludes chance.
    case
        when rates.churn_low > rates.target then 'above_target'
        when rates.opening_customers < {{ policy('min_customers_to_judge', 'int') }}
            then case when rates.opening_customers > 0 then 'insufficient_data' end
        when rates.churn_high <= rates.target then 'on_target'
        else 'within_chance'
    end as churn_verdict,
    benchmarks.industry as benchmark_industry,
    benchmarks.low_rate as benchmark_low_rate,
    benchmarks.high_rate as benchmark_high_rate,
    case
        when (1 - rates.churn) ^ rates.periods_a_year < benchmarks.low_rate
            then 'below'
        when (1 - rates.churn) ^ rates.periods_a_year <= benchmarks.high_rate
            then 'in'
        when rates.churn is not null then 'above'
    end as benchmark_verdict,
    rates.opening_amount,
    rates.new_amount,
    rates.expansion_amount,
    rates.contraction_amount,
    rates.churn_amount,
    rates.reactivation_amount,
    rates.fx_amount::numeric(18, 4) as fx_amount,
    rates.closing_amount,
    (rates.lost_amount / rates.money)::numeric(12, 6) as gross_revenue_churn_rate,
    (
        (rates.lost_amount - rates.expansion_amount - rates.reactivation_amount)
        / rates.money
    )::numeric(12, 6) as net_revenue_churn_rate,
    (rates.kept_at_most_amount / rates.money)::numeric(9, 6) as grr,
    (rates.kept_amount / rates.money)::numeric(12, 6) as nrr,
    (rates.gained_amount / nullif(rates.lost_amount, 0))::numeric(12, 4)
        as quick_ratio,
    (rates.closing_amount / nullif(rates.closing_customers, 0))::numeric(18, 4)
        as arpa_amount,
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
    end as trailing_year_benchmark_verdict,
    rates.unconverted_customers

from rates
left join trailing_years
    on
        rates.period = 'month'
        and rates.dimension in ('all', 'segment')
        and rates.starts_date = trailing_years.month
        and rates.dimension_value = trailing_years.segment
left join owners on rates.dimension = 'csm' and rates.dimension_value = owners.csm_id
left join benchmarks
    on benchmarks.industry = case
        when
            rates.dimension = 'industry'
            and exists (
                select 1 from benchmarks as known
                where
                    known.industry
                    = lower(replace(rates.dimension_value, ' ', '_'))
            )
            then lower(replace(rates.dimension_value, ' ', '_'))
        else {{ policy('benchmark_industry', 'text') }}
    end
