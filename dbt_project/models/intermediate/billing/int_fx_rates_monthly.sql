{{ config(materialized='table') }}

with

months as (

    -- The opening of the first month needs the rate of the month before.
    select month.day::date as month

    from generate_series(
        (
            select
                date_trunc('month', least(min(lines.starts_date), {{ as_of() }}))
                - interval '1 month'
            from {{ ref('int_subscription_lines') }} as lines
        ),
        {{ as_of() }}::timestamp,
        interval '1 month'
    ) as month (day)

),

used_currencies as (

    select distinct currency from {{ ref('int_subscription_lines') }}

),

fx_rates as (

    select * from {{ ref('fx_rates') }}

),

-- A month without a rate carries the last known one and sets is_fx_carried. A currency
-- without any rate stays unconverted: a missing amount is better than a wrong one.
rates as (

    select
        used_currencies.currency,
        months.month,
        {{ policy('reporting_currency', 'text') }} as reporting_currency,
        case
            when used_currencies.currency = {{ policy('reporting_currency', 'text') }}
                then 1
            else known.rate
        end::numeric(18, 8) as fx_rate,
        coalesce(
            used_currencies.currency != {{ policy('reporting_currency', 'text') }}
            and known.month != months.month,
            false
        ) as is_carried

    from used_currencies
    cross join months
    left join lateral (
        select
            fx_rates.month,
            fx_rates.rate

        from fx_rates

        where
            fx_rates.currency = used_currencies.currency
            and fx_rates.month <= months.month

        order by fx_rates.month desc

        limit 1
    ) as known on true

)

select * from rates
