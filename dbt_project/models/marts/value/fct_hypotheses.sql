{{ config(tags=['statistics']) }}

with

-- Customers that paid before the data begins have earned more than the data shows.
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
        avg(fit_score) as fit_score,
        avg(clv_amount) as mean_clv_amount,
        percentile_cont(0.5) within group (order by clv_amount)
            as median_clv_amount

    from fits

    group by grouping sets ((fit_band), ())

    having count(*) > 0

),

rated as (

    select
        *,
        churned_customers::numeric / customers as churn_rate,
        {{ wilson('churned_customers', 'customers', '-') }} as churn_rate_low,
        {{ wilson('churned_customers', 'customers', '+') }} as churn_rate_high,
        {{ policy('reporting_currency', 'text') }} as reporting_currency

    from bands

),

fit_measures as (

    select
        measures.*,
        rated.fit_band as group_name,
        rated.customers

    from rated
    cross join
        lateral (
            values
            ('fit_score', 'points', rated.fit_score, null::numeric, null::numeric),
            (
                'churn_rate', 'rate', rated.churn_rate,
                rated.churn_rate_low, rated.churn_rate_high
            ),
            ('deliberate_exits', 'customers', rated.deliberate_exits, null, null),
            ('mean_clv', rated.reporting_currency, rated.mean_clv_amount, null, null),
            (
                'median_clv', rated.reporting_currency,
                rated.median_clv_amount::numeric, null, null
            )
        ) as measures (measure, unit, value, value_low, value_high)

    where measures.value is not null

    union all

    select
        'rank_correlation' as measure,
        'correlation' as unit,
        rank_correlation::numeric as value,
        tanh(
            atanh(greatest(least(rank_correlation, 0.999999), -0.999999)) - spread
        )::numeric as value_low,
        tanh(
            atanh(greatest(least(rank_correlation, 0.999999), -0.999999)) + spread
        )::numeric as value_high,
        'all' as group_name,
        compared_customers as customers

    from correlation

    where compared_customers > 0

),

fit_and_value as (

    select
        'fit_and_value' as hypothesis,
        measure,
        group_name,
        null as compared_group,
        unit,
        customers,
        customers as observations,
        value::numeric(18, 6) as value,
        value_low::numeric(18, 6) as value_low,
        value_high::numeric(18, 6) as value_high,
        null::bigint as compared_customers,
        null::numeric(18, 6) as compared_value,
        null::numeric(18, 6) as difference,
        null::numeric(18, 6) as difference_low,
        null::numeric(18, 6) as difference_high,
        case
            when measure != 'rank_correlation' then null
            when
                customers < {{ policy('min_customers_to_judge', 'int') }}
                or value_low is null
                then 'insufficient data'
            when value_low > 0 then 'higher'
            when value_high < 0 then 'lower'
            else 'no difference shown'
        end as verdict

    from fit_measures

),

hypotheses as (

    select * from {{ ref('int_recovery_retention') }}

    union all

    select * from {{ ref('int_reply_time_retention') }}

    union all

    select * from fit_and_value

)

select
    hypothesis,
    measure,
    group_name,
    compared_group,
    unit,
    customers,
    observations,
    value,
    value_low,
    value_high,
    compared_customers,
    compared_value,
    difference,
    difference_low,
    difference_high,
    verdict,
    {{ as_of() }} as as_of_date

from hypotheses
