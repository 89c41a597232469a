{{ config(materialized='table') }}

with

terms as (

    select * from {{ ref('int_subscription_terms') }}

),

-- Free and trial terms carry no MRR; a term of no length was never in force at a day's
-- end.
steps as (

    select
        customer_id,
        currency,
        starts_date as step_date,
        mrr_amount as step_amount

    from terms

    where
        not is_trial
        and mrr_amount != 0
        and starts_date <= {{ as_of() }}
        and (ends_date is null or ends_date > starts_date)

    union all

    select
        customer_id,
        currency,
        ends_date as step_date,
        -mrr_amount as step_amount

    from terms

    where
        not is_trial
        and mrr_amount != 0
        and ends_date > starts_date
        and ends_date <= {{ as_of() }}

),

-- One step per day: what goes up and down within a day has not moved at its end.
changes as (

    select
        customer_id,
        currency,
        step_date,
        sum(step_amount)::numeric(18, 4) as step_amount

    from steps

    group by customer_id, currency, step_date

    having sum(step_amount) != 0

),

ranges as (

    select
        customer_id,
        currency,
        (
            sum(step_amount) over (
                partition by customer_id, currency order by step_date
            )
        )::numeric(18, 4) as mrr_amount,
        step_amount,
        step_date as starts_date,
        lead(step_date, 1, {{ as_of() }} + 1) over (
            partition by customer_id, currency order by step_date
        ) as ends_date

    from changes

)

select * from ranges
