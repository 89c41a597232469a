-- The table by period and the monthly one are two readers of the same sums, and every
-- dimension parts the same whole.
with

by_period as (

    select * from {{ ref('fct_retention_by_period') }}

),

monthly as (

    select * from {{ ref('fct_retention_monthly') }}

),

differing as (

    select
        'monthly' as what,
        monthly.month as starts_date,
        monthly.segment as dimension_value

    from monthly
    left join by_period
        on
            monthly.month = by_period.starts_date
            and by_period.period = 'month'
            and monthly.segment = by_period.dimension_value
            and by_period.dimension in ('all', 'segment')

    where
        (monthly.grr, monthly.nrr, monthly.logo_churn_rate, monthly.closing_amount)
        is distinct from
        (
            by_period.grr,
            by_period.nrr::numeric(9, 6),
            by_period.logo_churn_rate,
            by_period.closing_amount
        )

),

wholes as (

    select
        period as what,
        starts_date,
        dimension as dimension_value

    from by_period

    group by period, starts_date, dimension

    having
        sum(opening_customers) != (
            select max(every.opening_customers) from by_period as every
            where
                every.period = by_period.period
                and every.starts_date = by_period.starts_date
                and every.dimension = 'all'
        )

)

select * from differing

union all

select * from wholes
