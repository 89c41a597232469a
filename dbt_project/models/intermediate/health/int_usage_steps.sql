with

usage as (

    select * from {{ ref('int_usage') }}

    where
        customer_id is not null
        and event_date
        > (
            select min(customer_days.as_of_date)
            from {{ ref('int_customer_days_to_score') }} as customer_days
        )
        - {{ policy('usage_window_days', 'int') }}
        and event_date <= {{ as_of() }}

),

-- A user counts for the length of the window after each active day. Cut where the next
-- active day begins, those stretches never overlap, so the number of users active in a
-- window is the number that entered minus the number that left: no day looks back over
-- its window.
active_days as (

    select distinct
        customer_id,
        'user' as kind,
        user_key as name,
        event_date

    from usage

    where user_key is not null

    union all

    select distinct
        customer_id,
        'feature' as kind,
        feature as name,
        event_date

    from usage

),

stretches as (

    select
        customer_id,
        kind,
        event_date as enters_date,
        least(
            event_date + {{ policy('usage_window_days', 'int') }},
            lead(event_date) over (
                partition by customer_id, kind, name order by event_date
            )
        ) as leaves_date

    from active_days

),

steps as (

    select
        customer_id,
        kind,
        enters_date as step_date,
        1 as step

    from stretches

    union all

    select
        customer_id,
        kind,
        leaves_date as step_date,
        -1 as step

    from stretches

)

select
    customer_id,
    step_date,
    coalesce(sum(step) filter (where kind = 'user'), 0) as user_step,
    coalesce(sum(step) filter (where kind = 'feature'), 0) as feature_step

from steps

group by customer_id, step_date
