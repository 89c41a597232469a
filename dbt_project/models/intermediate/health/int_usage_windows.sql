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

timeline as (

    select
        customer_id,
        as_of_date as day,
        0 as event_count,
        0 as user_step,
        0 as feature_step,
        null::date as event_date,
        true as is_scored

    from customer_days

    union all

    select
        customer_id,
        event_date as day,
        event_count,
        0 as user_step,
        0 as feature_step,
        event_date,
        false as is_scored

    from usage_daily

    union all

    select
        customer_id,
        step_date as day,
        0 as event_count,
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
        sum(event_count) as event_count,
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
        sum(event_count) over (
            partition by customer_id
            order by day
            range between
            make_interval(days => {{ policy('usage_window_days', 'int') }} - 1) preceding
            and current row
        ) as window_events,
        sum(event_count) over (
            partition by customer_id
            order by day
            range between
            make_interval(days => 2 * {{ policy('usage_window_days', 'int') }} - 1) preceding
            and make_interval(days => {{ policy('usage_window_days', 'int') }}) preceding
        ) as earlier_events,
        sum(user_step) over so_far as window_users,
        sum(feature_step) over so_far as window_features,
        max(event_date) over so_far as last_event_date,
        min(event_date) over so_far as first_event_date

    from days

    window so_far as (partition by customer_id order by day)

)

select * from windows

where is_scored
