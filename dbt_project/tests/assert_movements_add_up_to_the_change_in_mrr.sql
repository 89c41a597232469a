-- Opening plus movements is closing for every customer, currency and month, in both
-- currencies, and what is called closing is what the daily table says on that day.
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
    mrr_daily.mrr_amount

from months
left join {{ ref('fct_mrr_daily') }} as mrr_daily
    on
        months.customer_id = mrr_daily.customer_id
        and months.currency = mrr_daily.currency
        and mrr_daily.as_of_date
        = (months.month + interval '1 month' - interval '1 day')::date

where
    months.reached_amount != months.closing_amount
    or months.reached_reporting_amount != months.closing_reporting_amount
    or coalesce(mrr_daily.mrr_amount, 0) != months.closing_amount
