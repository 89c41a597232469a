{{ config(materialized='table') }}

with

months as (

    select month from {{ ref('int_months') }}

    union

    -- The month before the first one is needed to value what the first month opens
    -- with, and the running month to value what is in force today.
    select (min(month) - interval '1 month')::date from {{ ref('int_months') }}

    union

    select date_trunc('month', {{ as_of() }})::date

),

used_currencies as (

    select distinct currency from {{ ref('int_subscription_lines') }}

),

fx_rates as (

    select * from {{ ref('fx_rates') }}

),

-- A month without a rate carries the last known one and says so. A currency that has no
-- rate at all stays unconverted: an invented rate would be worse than a missing amount.
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
