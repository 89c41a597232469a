{{ config(**rebuilt()) }}

with

steps as (

    {{ mrr_steps() }}

),

-- Net changes per day: MRR is measured at the end of a day.
changes as (

    select
        customer_id,
        currency,
        step_date,
        sum(amount_step)::numeric(18, 4) as step_amount

    from steps

    group by customer_id, currency, step_date

    having sum(amount_step) != 0

),

-- A discount that outlasts its subscription must not make MRR negative.
balances as (

    select
        customer_id,
        currency,
        step_date,
        greatest(
            sum(step_amount) over (
                partition by customer_id, currency order by step_date
            ), 0
        )::numeric(18, 4) as mrr_amount

    from changes

),

moved as (

    select
        *,
        (
            mrr_amount - lag(mrr_amount, 1, 0::numeric(18, 4)) over (
                partition by customer_id, currency order by step_date
            )
        )::numeric(18, 4) as step_amount

    from balances

),

ranges as (

    select
        customer_id,
        currency,
        mrr_amount,
        step_amount,
        step_date as starts_date,
        lead(step_date) over (
            partition by customer_id, currency order by step_date
        ) as ends_date

    from moved

    where step_amount != 0

)

select * from ranges
