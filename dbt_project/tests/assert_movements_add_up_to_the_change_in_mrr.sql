-- Opening MRR plus movements must equal closing MRR for each customer, currency and
-- month, in both currencies. Closing MRR must equal the MRR of the span of that day.
with

months as (

    select
        customer_id,
        currency,
        month,
        max(opening_amount) + sum(movement_amount) as reached_amount,
        max(closing_amount) as closing_amount,
        max(opening_reporting_amount) + sum(movement_reporting_amount)
            as reached_reporting_amount,
        max(closing_reporting_amount) as closing_reporting_amount

    from {{ ref('fct_mrr_movements_monthly') }}

    group by customer_id, currency, month

)

select
    months.*,
    spans.mrr_amount

from months
left join {{ ref('fct_mrr_spans') }} as spans
    on
        months.customer_id = spans.customer_id
        and months.currency = spans.currency
        and daterange(spans.valid_from, spans.valid_to)
        @> ((months.month + interval '1 month')::date - 1)

where
    months.reached_amount != months.closing_amount
    or months.reached_reporting_amount != months.closing_reporting_amount
    or coalesce(spans.mrr_amount, 0) != months.closing_amount
