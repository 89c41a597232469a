-- An amount in a currency without an exponent or a rate is missing from all amounts in
-- reporting currency. The view of this name lists the amounts.
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
