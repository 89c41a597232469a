{{
    config(
        materialized='table',
        indexes=[
            {'columns': ['customer_id']},
            {'columns': ['daterange(valid_from, valid_to)'], 'type': 'gist'}
        ]
    )
}}

with

ranges as (

    {{ mrr_ranges(ref('int_mrr_balances')) }}

),

fx_rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

-- Rates change with the month, so a span in another currency ends with it.
spans as (

    select
        customer_id,
        currency,
        mrr_amount,
        mrr_amount as mrr_reporting_amount,
        false as is_fx_carried,
        starts_date as valid_from,
        ends_date as valid_to

    from ranges

    where currency = {{ policy('reporting_currency', 'text') }}

    union all

    select
        ranges.customer_id,
        ranges.currency,
        ranges.mrr_amount,
        (ranges.mrr_amount * fx_rates.fx_rate)::numeric(18, 4) as mrr_reporting_amount,
        fx_rates.is_carried as is_fx_carried,
        greatest(ranges.starts_date, fx_rates.month) as valid_from,
        least(ranges.ends_date, (fx_rates.month + interval '1 month')::date) as valid_to

    from ranges
    inner join fx_rates
        on
            ranges.currency = fx_rates.currency
            and ranges.ends_date > fx_rates.month
            and ranges.starts_date < (fx_rates.month + interval '1 month')::date

    where ranges.currency != {{ policy('reporting_currency', 'text') }}

)

-- A span that covers as_of is in force and has no end.
select
    customer_id,
    currency,
    {{ policy('reporting_currency', 'text') }} as reporting_currency,
    mrr_amount,
    mrr_reporting_amount,
    is_fx_carried,
    valid_from,
    nullif(valid_to, {{ as_of() }} + 1) as valid_to

from spans

where mrr_amount > 0
