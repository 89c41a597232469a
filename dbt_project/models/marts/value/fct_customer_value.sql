{{ config(tags=['statistics']) }}

with

revenue as (

    select * from {{ ref('int_customer_revenue') }}

    where is_active

),

spells as (

    select * from {{ ref('int_customer_lifetimes') }}

),

attributes as (

    select * from {{ ref('int_customer_attribute_ranges') }}

    where ends_date is null

),

segments as (

    select * from {{ ref('fct_segment_value') }}

),

lifetimes as (

    select * from {{ source('statistics', 'lifetime') }}

),

invoices as (

    select * from {{ ref('int_invoices') }}

    where
        status = 'paid'
        and total_amount > 0
        and issued_date <= {{ as_of() }}
        and issued_date > ({{ as_of() }} - interval '12 months')::date

),

fx_rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

orders as (

    select
        invoices.customer_id,
        count(*) as order_count,
        avg(invoices.total_amount * fx_rates.fx_rate) as order_amount

    from invoices
    left join fx_rates
        on
            invoices.currency = fx_rates.currency
            and date_trunc('month', {{ as_of() }})::date = fx_rates.month

    group by invoices.customer_id

),

-- Expected months exist for ages of whole years up to the oldest observed age.
tenures as (

    select
        segment,
        max(tenure_months) as oldest_months

    from lifetimes

    group by segment

),

lives as (

    select
        revenue.*,
        attributes.segment,
        ({{ as_of() }} + 1 - spells.origin_date) as tenure_days,
        orders.order_count,
        orders.order_amount,
        segments.gross_margin_rate,
        segments.monthly_churn_rate,
        segments.acquisition_cost_amount,
        least(
            tenures.oldest_months,
            floor(({{ as_of() }} + 1 - spells.origin_date) / 365.25)::int * 12
        ) as looked_up_months

    from revenue
    inner join attributes on revenue.customer_id = attributes.customer_id
    inner join spells on revenue.customer_id = spells.customer_id
    left join orders on revenue.customer_id = orders.customer_id
    left join segments on attributes.segment = segments.segment
    left join tenures on attributes.segment = tenures.segment

)

select
    lives.customer_id,
    lives.segment,
    {{ policy('reporting_currency', 'text') }} as reporting_currency,
    round(lives.tenure_days / 30.4375, 2)::numeric(9, 2) as tenure_months,
    lives.mrr_amount,
    (lives.mrr_amount / nullif(sum(lives.mrr_amount) over (), 0))::numeric(9, 6)
        as revenue_share,
    (
        (lives.mrr_amount - lives.mrr_a_year_ago_amount)
        / nullif(lives.mrr_a_year_ago_amount, 0)
    )::numeric(12, 6) as revenue_growth_rate,
    lives.order_amount::numeric(18, 4) as average_order_amount,
    lives.order_count as orders_last_year,
    (
        lives.order_amount * lives.order_count / 12
        / nullif(lives.monthly_churn_rate, 0)
    )::numeric(18, 4) as clv_orders_amount,
    (
        lives.mrr_amount * lives.gross_margin_rate
        / nullif(lives.monthly_churn_rate, 0)
    )::numeric(18, 4) as clv_churn_amount,
    (lives.mrr_amount * lives.gross_margin_rate * means.expected_months)::numeric(18, 4)
        as clv_survival_amount,
    (lives.mrr_amount * lives.gross_margin_rate * lows.expected_months)::numeric(18, 4)
        as clv_survival_low_amount,
    (lives.mrr_amount * lives.gross_margin_rate * highs.expected_months)::numeric(18, 4)
        as clv_survival_high_amount,
    (
        lives.acquisition_cost_amount
        / nullif(lives.mrr_amount * lives.gross_margin_rate, 0)
    )::numeric(12, 4) as payback_months,
    {{ as_of() }} as as_of_date

from lives
{% for name, draw in [('means', 0), ('lows', 5), ('highs', 95)] -%}
left join lifetimes as {{ name }}
    on
        lives.segment = {{ name }}.segment
        and lives.looked_up_months = {{ name }}.tenure_months
        and {{ name }}.draw = {{ draw }}
{% endfor -%}
