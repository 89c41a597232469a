{{ config(tags=['statistics']) }}

with

-- Who paid before the data begins has earned more than can be seen.
fits as (

    select * from {{ ref('fct_customer_fit') }}

    where is_signing_seen and fit_band != 'unknown'

),

ranked as (

    select
        *,
        rank() over (order by fit_score)
        + (count(*) over (partition by fit_score) - 1) / 2.0 as fit_rank,
        rank() over (order by clv_amount)
        + (count(*) over (partition by clv_amount) - 1) / 2.0 as value_rank

    from fits

    where clv_amount is not null

),

-- Spearman's rank correlation; its interval by Fisher's transformation.
correlation as (

    select
        count(*) as compared_customers,
        corr(fit_rank, value_rank) as rank_correlation,
        {{ policy('interval_z') }} / nullif(sqrt(greatest(count(*) - 3, 0)), 0)
            as spread

    from ranked

),

bands as (

    select
        coalesce(fit_band, 'all') as fit_band,
        count(*) as customers,
        count(*) filter (where not is_active) as churned_customers,
        count(*) filter (where not is_active and is_deliberate_exit)
            as deliberate_exits,
        avg(fit_score)::numeric(5, 2) as fit_score,
        avg(clv_amount)::numeric(18, 4) as mean_clv_amount,
        (
            percentile_cont(0.5) within group (order by clv_amount)
        )::numeric(18, 4) as median_clv_amount

    from fits

    group by grouping sets ((fit_band), ())

),

intervals as (

    select
        *,
        tanh(atanh(greatest(least(rank_correlation, 0.999999), -0.999999)) - spread)
            as correlation_low,
        tanh(atanh(greatest(least(rank_correlation, 0.999999), -0.999999)) + spread)
            as correlation_high

    from correlation

)

select
    bands.fit_band,
    {{ policy('reporting_currency', 'text') }} as reporting_currency,
    bands.customers,
    bands.fit_score,
    bands.churned_customers,
    bands.deliberate_exits,
    (bands.churned_customers::numeric / nullif(bands.customers, 0))::numeric(9, 6)
        as churn_rate,
    {{ wilson('bands.churned_customers', 'bands.customers', '-') }} as churn_rate_low,
    {{ wilson('bands.churned_customers', 'bands.customers', '+') }} as churn_rate_high,
    bands.mean_clv_amount,
    bands.median_clv_amount,
    intervals.rank_correlation::numeric(9, 6) as rank_correlation,
    intervals.correlation_low::numeric(9, 6) as rank_correlation_low,
    intervals.correlation_high::numeric(9, 6) as rank_correlation_high,
    case
        when bands.fit_band != 'all' then null
        when
            intervals.compared_customers < {{ policy('min_customers_to_judge', 'int') }}
            or intervals.correlation_low is null
            then 'too few to say'
        when intervals.correlation_low > 0 then 'fit is worth more'
        when intervals.correlation_high < 0 then 'fit is worth less'
        else 'no difference shown'
    end as verdict,
    {{ as_of() }} as as_of_date

from bands
left join intervals on bands.fit_band = 'all'
