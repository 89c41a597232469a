{{ config(**rebuilt()) }}

with

steps as (

    {{ mrr_steps() }}

    having
        sum(edges.sign * coalesce(terms.quantity, 1)) != 0
        or sum(edges.sign * terms.mrr_amount) != 0

),

balances as (

    select
        *,
        sum(quantity_step) over unit_in_order - quantity_step as quantity_before,
        sum(amount_step) over unit_in_order - amount_step as amount_before

    from steps

    window
        unit_in_order as (
            partition by customer_id, currency, sold_unit order by step_date
        )

)

-- Volume effect = change of quantity at the earlier price; the rest is the price
-- effect. An added or dropped product is volume only.
select
    customer_id,
    currency,
    step_date,
    sum(
        case
            when quantity_before > 0 and quantity_before + quantity_step > 0
                then quantity_step * amount_before / quantity_before
            else amount_step
        end
    )::numeric(18, 4) as volume_amount

from balances

group by customer_id, currency, step_date
