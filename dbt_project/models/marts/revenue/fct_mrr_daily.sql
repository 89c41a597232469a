{{
    config(
        materialized='ledger',
        meta={'redo': 'day'},
        indexes=[{'columns': ['customer_id']}]
    )
}}

with

ranges as (

    {{ ranges_to_lay_out() }}

),

fx_rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

-- Ranges are few and days are many, so days are laid out last. Days without MRR have no
-- row.
days as (

    select
        ranges.customer_id,
        ranges.currency,
        ranges.mrr_amount,
        day.at::date as as_of_date

    from ranges
    cross join
        lateral generate_series(
            ranges.starts_date::timestamp,
            ranges.ends_date - interval '1 day',
            interval '1 day'
        ) as day (at)

    where ranges.mrr_amount > 0

)

select
    days.customer_id,
    days.currency,
    fx_rates.reporting_currency,
    days.mrr_amount,
    (days.mrr_amount * fx_rates.fx_rate)::numeric(18, 4) as mrr_reporting_amount,
    fx_rates.is_carried as is_fx_carried,
    days.as_of_date

from days
left join fx_rates
    on
        days.currency = fx_rates.currency
        and date_trunc('month', days.as_of_date)::date = fx_rates.month
