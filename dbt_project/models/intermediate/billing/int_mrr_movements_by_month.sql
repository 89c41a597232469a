{{ config(**rebuilt(by_month=true)) }}

with

mrr_by_month as (

    select * from {{ ref('int_mrr_by_month') }}

    where {{ is_to_rebuild('customer_id', 'month') }}

),

converted as (

    select
        *,
        (opening_amount * opening_fx_rate)::numeric(18, 4) as opening_reporting_amount,
        (closing_amount * closing_fx_rate)::numeric(18, 4) as closing_reporting_amount

    from mrr_by_month

),

movements as (

    select
        converted.*,
        entry.movement,
        entry.amount as movement_amount,
        entry.volume_amount,
        (entry.amount * converted.closing_fx_rate)::numeric(18, 4)
            as movement_reporting_amount,
        (entry.volume_amount * converted.closing_fx_rate)::numeric(18, 4)
            as volume_reporting_amount

    from converted
    cross join lateral (
        values
        ('new', converted.new_amount, null::numeric(18, 4)),
        ('expansion', converted.expansion_amount, converted.expansion_volume_amount),
        (
            'contraction',
            converted.contraction_amount,
            converted.contraction_volume_amount
        ),
        ('churn', converted.churn_amount, null),
        ('reactivation', converted.reactivation_amount, null)
    ) as entry (movement, amount, volume_amount)

),

-- fx is the remainder after all movements, rounding included, so the bridge is exact.
fx as (

    select
        customer_id,
        currency,
        month,
        'fx' as movement,
        reporting_currency,
        opening_amount,
        0::numeric(18, 4) as movement_amount,
        closing_amount,
        opening_reporting_amount,
        (
            closing_reporting_amount
            - opening_reporting_amount
            - sum(movement_reporting_amount)
        )::numeric(18, 4) as movement_reporting_amount,
        closing_reporting_amount,
        is_fx_carried

    from movements

    group by
        customer_id,
        currency,
        month,
        reporting_currency,
        opening_amount,
        closing_amount,
        opening_reporting_amount,
        closing_reporting_amount,
        is_fx_carried

),

unioned as (

    select
        customer_id,
        currency,
        month,
        movement,
        reporting_currency,
        opening_amount,
        movement_amount,
        (movement_amount - volume_amount)::numeric(18, 4) as price_amount,
        volume_amount,
        closing_amount,
        opening_reporting_amount,
        movement_reporting_amount,
        (movement_reporting_amount - volume_reporting_amount)::numeric(18, 4)
            as price_reporting_amount,
        volume_reporting_amount,
        closing_reporting_amount,
        is_fx_carried

    from movements

    where movement_amount != 0

    union all

    select
        customer_id,
        currency,
        month,
        movement,
        reporting_currency,
        opening_amount,
        movement_amount,
        null as price_amount,
        null as volume_amount,
        closing_amount,
        opening_reporting_amount,
        movement_reporting_amount,
        null as price_reporting_amount,
        null as volume_reporting_amount,
        closing_reporting_amount,
        is_fx_carried

    from fx

    where movement_reporting_amount != 0

)

select * from unioned
