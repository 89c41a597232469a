{{ config(materialized='table') }}

{% set movements = ['new', 'expansion', 'contraction', 'churn', 'reactivation'] %}

with

periods as (

    select * from {{ ref('int_periods') }}

),

mrr_by_month as (

    select * from {{ ref('int_mrr_by_month') }}

),

fx_rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

attributes as (

    select * from {{ ref('int_customer_attribute_ranges') }}

),

-- Opening amounts come from the first month, closing amounts from the last. Movements
-- are summed over the months, so a quarter equals the sum of its months exactly.
months as (

    select
        periods.period,
        periods.starts_date,
        periods.opening_date,
        periods.closing_date,
        mrr_by_month.*,
        case
            when mrr_by_month.month = periods.starts_date
                then mrr_by_month.opening_amount
            else 0
        end as first_amount,
        case
            when
                mrr_by_month.month = date_trunc('month', periods.closing_date)::date
                then mrr_by_month.closing_amount
            else 0
        end as last_amount,
        fx_rates.fx_rate as first_fx_rate

    from periods
    inner join mrr_by_month
        on
            periods.starts_date <= mrr_by_month.month
            and periods.closing_date >= mrr_by_month.month
    left join fx_rates
        on
            mrr_by_month.currency = fx_rates.currency
            and date_trunc('month', periods.opening_date)::date = fx_rates.month

),

-- Churn and reactivation concern the customer, not one currency, so currencies are
-- added up. `kept` values the closing MRR at the opening rate to exclude the FX effect.
amounts as (

    select
        customer_id,
        period,
        starts_date,
        opening_date,
        closing_date,
        max(reporting_currency) as reporting_currency,
        bool_or(first_amount > 0) as is_open,
        bool_or(last_amount > 0) as is_kept,
        coalesce(
            sum((first_amount * opening_fx_rate)::numeric(18, 4)), 0
        )::numeric(18, 4) as opening_amount,
        coalesce(
            sum(
                (last_amount * coalesce(first_fx_rate, opening_fx_rate))::numeric(18, 4)
            ),
            0
        )::numeric(18, 4) as kept_amount,
        coalesce(
            sum((last_amount * closing_fx_rate)::numeric(18, 4)), 0
        )::numeric(18, 4) as closing_amount,
        {% for movement in movements -%}
        coalesce(
            sum(({{ movement }}_amount * closing_fx_rate)::numeric(18, 4)), 0
        )::numeric(18, 4) as {{ movement }}_amount,
        {% endfor -%}
        bool_or(closing_fx_rate is null) as is_unconverted

    from months

    group by customer_id, period, starts_date, opening_date, closing_date

)

-- A customer counts under its attributes at the opening; a new customer under those at
-- its start. It keeps them for the whole period.
select
    amounts.*,
    attributes.segment,
    coalesce(attributes.industry, 'unknown') as industry,
    coalesce(attributes.plan, 'unknown') as plan,
    coalesce(attributes.region, 'unknown') as region,
    coalesce(attributes.csm_owner_id, 'unknown') as csm

from amounts
left join attributes
    on
        amounts.customer_id = attributes.customer_id
        and case
            when amounts.is_open then amounts.opening_date else amounts.closing_date
        end >= attributes.starts_date
        and (
            attributes.ends_date is null
            or case
                when amounts.is_open then amounts.opening_date
                else amounts.closing_date
            end < attributes.ends_date
        )
