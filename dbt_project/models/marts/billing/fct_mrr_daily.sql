{{ config(materialized='view') }}

-- Only spans are stored: at 100,000 customers the day grain has a hundred times as many
-- rows. The spans are read in place: Postgres stores a common table expression that is
-- read twice, and a condition on the day or the customer would then reach no index.
select
    spans.customer_id,
    spans.currency,
    spans.reporting_currency,
    spans.mrr_amount,
    spans.mrr_reporting_amount,
    spans.is_fx_carried,
    days.as_of_date

from (

    select day.at::date as as_of_date

    from generate_series(
        (
            select min(every_span.valid_from)
            from {{ ref('fct_mrr_spans') }} as every_span
        )::timestamp,
        {{ as_of() }}::timestamp,
        interval '1 day'
    ) as day (at)

) as days

inner join {{ ref('fct_mrr_spans') }} as spans
    on daterange(spans.valid_from, spans.valid_to) @> days.as_of_date
