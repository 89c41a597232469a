{{ config(**rebuilt(by_month=true)) }}

with

months as (

    select * from {{ ref('int_months') }}

),

ranges as (

    select * from {{ ref('int_mrr_ranges') }}

    where {{ is_to_rebuild('customer_id', 'ends_date', or_open=true) }}

),

movements as (

    select * from {{ ref('int_mrr_movements') }}

    where {{ is_to_rebuild('customer_id', 'movement_date') }}

),

fx_rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

-- Opening balance, closing balance and movements of a month, one row each.
entries as (

    select
        ranges.customer_id,
        ranges.currency,
        months.month,
        'opening' as entry,
        ranges.mrr_amount as amount

    from months
    inner join ranges
        on
            months.opening_date >= ranges.starts_date
            and months.opening_date < ranges.ends_date

    union all

    select
        ranges.customer_id,
        ranges.currency,
        months.month,
        'closing' as entry,
        ranges.mrr_amount as amount

    from months
    inner join ranges
        on
            months.closing_date >= ranges.starts_date
            and months.closing_date < ranges.ends_date

    union all

    select
        movements.customer_id,
        movements.currency,
        months.month,
        movements.movement as entry,
        movements.movement_amount as amount

    from movements
    inner join months
        on date_trunc('month', movements.movement_date)::date = months.month

    union all

    select
        movements.customer_id,
        movements.currency,
        months.month,
        movements.movement || '_volume' as entry,
        movements.volume_amount as amount

    from movements
    inner join months
        on date_trunc('month', movements.movement_date)::date = months.month

    where movements.volume_amount is not null

),

summed as (

    select
        customer_id,
        currency,
        month,
        {% for entry in [
            'opening', 'new', 'expansion', 'contraction', 'churn', 'reactivation',
            'expansion_volume', 'contraction_volume'
        ] -%}
        coalesce(sum(amount) filter (where entry = '{{ entry }}'), 0)::numeric(18, 4)
            as {{ entry }}_amount,
        {% endfor -%}
        coalesce(sum(amount) filter (where entry = 'closing'), 0)::numeric(18, 4)
            as closing_amount

    from entries

    where {{ is_to_rebuild('customer_id', 'month') }}

    group by customer_id, currency, month

    -- A range of zero MRR covers its days too; drop months with zeros only.
    having count(*) filter (where amount != 0) > 0

)

select
    summed.*,
    opening_rates.fx_rate as opening_fx_rate,
    closing_rates.fx_rate as closing_fx_rate,
    closing_rates.reporting_currency,
    opening_rates.is_carried or closing_rates.is_carried as is_fx_carried

from summed
inner join fx_rates as opening_rates
    on
        summed.currency = opening_rates.currency
        and (summed.month - interval '1 month')::date = opening_rates.month
inner join fx_rates as closing_rates
    on
        summed.currency = closing_rates.currency
        and summed.month = closing_rates.month
