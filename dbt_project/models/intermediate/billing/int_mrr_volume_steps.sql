{{ config(**rebuilt()) }}

with

terms as (

    select * from {{ ref('int_mrr_terms') }}

    where policy = 'default' and {{ is_to_rebuild('customer_id') }}

),

steps as (

    select
        customer_id,
        currency,
        sold_unit,
        starts_date as step_date,
        coalesce(quantity, 1) as quantity,
        mrr_amount

    from terms

    union all

    select
        customer_id,
        currency,
        sold_unit,
        ends_date as step_date,
        -coalesce(quantity, 1) as quantity,
        -mrr_amount as mrr_amount

    from terms

    where ends_date is not null

),

changes as (

    select
        customer_id,
        currency,
        sold_unit,
        step_date,
        sum(quantity) as quantity_step,
        sum(mrr_amount) as amount_step

    from steps

    group by customer_id, currency, sold_unit, step_date

    having sum(quantity) != 0 or sum(mrr_amount) != 0

),

balances as (

    select
        *,
        sum(quantity_step) over unit_in_order - quantity_step as quantity_before,
        sum(amount_step) over unit_in_order - amount_step as amount_before

    from changes

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
