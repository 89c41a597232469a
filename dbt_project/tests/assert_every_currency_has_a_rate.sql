-- Money in a currency without an exponent or a rate stays in its own currency and is
-- missing from every amount in reporting currency. The view of this name says which and
-- how much.
{{ config(store_failures_as='view', schema='staging') }}

select
    terms.currency,
    count(distinct terms.customer_id) as customers,
    sum(terms.mrr_amount) as mrr_amount,
    min(terms.starts_date) as first_date

from {{ ref('int_subscription_terms') }} as terms
left join {{ ref('int_fx_rates_monthly') }} as rates
    on
        terms.currency = rates.currency
        and rates.month = date_trunc('month', {{ as_of() }})::date

where terms.mrr_amount is null or rates.fx_rate is null

group by terms.currency
