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
        entry.amount - entry.volume_amount as price_amount,
        entry.volume_amount,
        (entry.amount * converted.closing_fx_rate)::numeric(18, 4)
            as converted_amount,
        round(entry.volume_amount * converted.closing_fx_rate, 4)
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
        ('reactivation', converted.reactivation_amount, null),
        ('fx', 0::numeric(18, 4), null)
    ) as entry (movement, amount, volume_amount)

),

-- fx is the remainder after all movements, rounding included, so the bridge is exact.
bridged as (

    select
        *,
        case
            when movement = 'fx'
                then
                    closing_reporting_amount
                    - opening_reporting_amount
                    - sum(converted_amount) over (
                        partition by customer_id, currency, month
                    )
            else converted_amount
        end::numeric(18, 4) as movement_reporting_amount

    from movements

)

select
    customer_id,
    currency,
    month,
    movement,
    reporting_currency,
    opening_amount,
    movement_amount,
    price_amount,
    volume_amount,
    closing_amount,
    opening_reporting_amount,
    movement_reporting_amount,
    movement_reporting_amount - volume_reporting_amount as price_reporting_amount,
    volume_reporting_amount,
    closing_reporting_amount,
    is_fx_carried

from bridged

where
    movement_amount != 0
    or (movement = 'fx' and movement_reporting_amount != 0)
