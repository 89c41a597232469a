with

customer_days as (

    select * from {{ ref('int_customer_days_to_score') }}

),

usage_daily as (

    select * from {{ ref('int_usage_daily') }}

),

usage_steps as (

    select * from {{ ref('int_usage_steps') }}

),

-- A day's events enter the window on the day, pass into the window before it when they
-- are as old as the window is long, and leave that one after as many days again.
event_steps as (

    select
        usage_daily.customer_id,
        usage_daily.event_date
        + step.windows * {{ policy('usage_window_days', 'int') }} as day,
        usage_daily.event_count * step.window_sign as window_step,
        usage_daily.event_count * step.earlier_sign as earlier_step,
        case when step.windows = 0 then usage_daily.event_date end as event_date

    from usage_daily
    cross join (values (0, 1, 0), (1, -1, 1), (2, 0, -1)) as step (
        windows, window_sign, earlier_sign
    )

),

timeline as (

    select
        customer_id,
        as_of_date as day,
        0 as window_step,
        0 as earlier_step,
        0 as user_step,
        0 as feature_step,
        null::date as event_date,
        true as is_scored

    from customer_days

    union all

    select
        customer_id,
        day,
        window_step,
        earlier_step,
        0 as user_step,
        0 as feature_step,
        event_date,
        false as is_scored

    from event_steps

    union all

    select
        customer_id,
        step_date as day,
        0 as window_step,
        0 as earlier_step,
        user_step,
        feature_step,
        null::date as event_date,
        false as is_scored

    from usage_steps

),

days as (

    select
        customer_id,
        day,
        sum(window_step) as window_step,
        sum(earlier_step) as earlier_step,
        sum(user_step) as user_step,
        sum(feature_step) as feature_step,
        max(event_date) as event_date,
        bool_or(is_scored) as is_scored

    from timeline

    group by customer_id, day

),

windows as (

    select
        customer_id,
        day as as_of_date,
        is_scored,
        sum(window_step) over so_far as window_events,
        sum(earlier_step) over so_far as earlier_events,
        sum(user_step) over so_far as window_users,
        sum(feature_step) over so_far as window_features,
        max(event_date) over so_far as last_event_date,
        min(event_date) over so_far as first_event_date

    from days

    window so_far as (partition by customer_id order by day)

)

select * from windows

where is_scored
