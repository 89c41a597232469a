{{ config(materialized='view') }}

-- Only spans are stored: at 100,000 customers the day grain has a hundred times as many
-- rows. A filter on the day or the customer uses an index of the spans.
with

spans as (

    select * from {{ ref('fct_mrr_spans') }}

),

days as (

    select day.at::date as as_of_date

    from generate_series(
        (select min(spans.valid_from) from spans)::timestamp,
        {{ as_of() }}::timestamp,
        interval '1 day'
    ) as day (at)

)

select
    spans.customer_id,
    spans.currency,
    spans.reporting_currency,
    spans.mrr_amount,
    spans.mrr_reporting_amount,
    spans.is_fx_carried,
    days.as_of_date

from days
inner join spans on daterange(spans.valid_from, spans.valid_to) @> days.as_of_date
