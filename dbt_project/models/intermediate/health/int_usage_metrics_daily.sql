with

customer_days as (

    select * from {{ ref('int_customer_days_to_score') }}

),

usage_windows as (

    select * from {{ ref('int_usage_windows') }}

),

seats as (

    select * from {{ ref('int_seat_ranges') }}

),

-- How far the usage source reaches: beyond it silence is not knowledge.
reach as (

    select
        max(event_date) as last_date,
        (
            select count(distinct usage.feature) from {{ ref('int_usage') }} as usage
        ) as feature_count

    from {{ ref('int_usage_daily') }}

),

licensed as (

    select
        customer_days.customer_id,
        customer_days.as_of_date,
        sum(seats.seats) as seats

    from customer_days
    inner join seats
        on
            customer_days.customer_id = seats.customer_id
            and customer_days.as_of_date >= seats.starts_date
            and customer_days.as_of_date < seats.ends_date

    group by customer_days.customer_id, customer_days.as_of_date

)

-- Somebody who never used the product while usage is collected is measured: at zero.
-- Where a source counts use and names no user, how many there were is not known.
select
    customer_days.customer_id,
    customer_days.as_of_date,
    case
        when
            customer_days.tenure_days
            < {{ policy('seat_ratio_min_tenure_days', 'int') }}
            or (usage_windows.window_users = 0 and usage_windows.window_events > 0)
            then null
        else usage_windows.window_users / nullif(licensed.seats, 0)
    end::numeric(9, 4) as active_seat_ratio,
    case
        when
            usage_windows.first_event_date
            > customer_days.as_of_date - 2 * {{ policy('usage_window_days', 'int') }}
            or usage_windows.earlier_events
            < {{ policy('usage_trend_min_events', 'int') }}
            then null
        else usage_windows.window_events / nullif(usage_windows.earlier_events, 0)
    end::numeric(9, 4) as usage_trend_ratio,
    (
        usage_windows.window_features / nullif(reach.feature_count, 0)::numeric
    )::numeric(9, 4) as feature_breadth,
    customer_days.as_of_date
    - coalesce(
        usage_windows.last_event_date,
        customer_days.as_of_date - customer_days.tenure_days
    ) as days_since_last_use,
    licensed.seats as licensed_seats,
    case
        when usage_windows.window_users > 0 or usage_windows.window_events = 0
            then usage_windows.window_users
    end as active_users,
    least(customer_days.as_of_date, reach.last_date) as usage_observed_date

from customer_days
cross join reach
left join usage_windows
    on
        customer_days.customer_id = usage_windows.customer_id
        and customer_days.as_of_date = usage_windows.as_of_date
left join licensed
    on
        customer_days.customer_id = licensed.customer_id
        and customer_days.as_of_date = licensed.as_of_date

where reach.last_date is not null
