{{ config(materialized='table') }}

with

usage_windows as (

    select * from {{ ref('int_usage_rolling_counts') }}

),

seats as (

    select * from {{ ref('int_seat_ranges') }}

),

-- The metrics of a day use the newest day for which the source is complete.
customer_days as (

    select
        days.customer_id,
        days.tenure_days,
        days.as_of_date - days.tenure_days as first_paid_date,
        complete_days.collected_from,
        least(days.as_of_date, complete_days.complete_to) as window_end_date,
        days.as_of_date

    from {{ ref('int_customer_days_to_score') }} as days
    cross join {{ ref('int_usage_complete_days') }} as complete_days

    -- Nothing is measured before the first day as a customer, nor before a whole
    -- window of usage was collected.
    where
        least(days.as_of_date, complete_days.complete_to)
        >= days.as_of_date - days.tenure_days
        and (
            days.as_of_date - days.tenure_days >= complete_days.collected_from
            or least(days.as_of_date, complete_days.complete_to)
            >= complete_days.collected_from
            + {{ policy('usage_window_days', 'int') }} - 1
        )

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
            and customer_days.window_end_date >= seats.starts_date
            and customer_days.window_end_date < seats.ends_date

    group by customer_days.customer_id, customer_days.as_of_date

),

features_ever as (

    select count(distinct feature) as feature_count from {{ ref('int_usage') }}

),

-- A customer without usage while usage is collected is measured as zero. A source that
-- counts events without naming users leaves the number of users unknown.
measured as (

    select
        customer_days.*,
        usage_windows.first_event_date,
        usage_windows.last_event_date,
        usage_windows.window_events,
        usage_windows.earlier_events,
        usage_windows.trend_events,
        usage_windows.before_events,
        usage_windows.active_days,
        usage_windows.features,
        usage_windows.key_features,
        usage_windows.advanced_features,
        nullif(usage_windows.entitled_features, 0)::numeric as entitled_features,
        nullif(usage_windows.entitled_advanced_features, 0)::numeric
            as entitled_advanced_features,
        nullif(licensed.seats, 0) as seats,
        case
            when usage_windows.users > 0 or usage_windows.window_events = 0
                then usage_windows.users
        end as users,
        features_ever.feature_count

    from customer_days
    cross join features_ever
    inner join usage_windows
        on
            customer_days.customer_id = usage_windows.customer_id
            and customer_days.window_end_date = usage_windows.window_end_date
    left join licensed
        on
            customer_days.customer_id = licensed.customer_id
            and customer_days.as_of_date = licensed.as_of_date

),

-- Few events vary too much by chance, and the first window has none to compare with.
compared as (

    select
        *,
        users / seats as seat_ratio,
        case
            when
                first_event_date
                <= window_end_date - 2 * {{ policy('usage_window_days', 'int') }}
                and earlier_events >= {{ policy('usage_trend_min_events', 'int') }}
                then window_events / earlier_events
        end as window_ratio,
        case
            when
                first_event_date
                <= window_end_date - 2 * {{ policy('usage_trend_days', 'int') }}
                and before_events >= {{ policy('usage_trend_min_events', 'int') }}
                then trend_events / before_events
        end as trend_ratio

    from measured

)

select
    compared.customer_id,
    {{ usage_level('active_user_level', 'seat_ratio') }} as active_user_level,
    {{ usage_level('seat_level', 'seat_ratio') }} as seat_level,
    {{ usage_level('usage_trend_level', 'trend_ratio') }} as usage_trend_level,
    case
        when
            compared.tenure_days >= {{ policy('seat_ratio_min_tenure_days', 'int') }}
            then compared.seat_ratio
    end::numeric(9, 4) as active_seat_ratio,
    compared.window_ratio::numeric(9, 4) as usage_trend_ratio,
    compared.trend_ratio::numeric(9, 4) as usage_trend_30d_ratio,
    (compared.features / nullif(compared.feature_count, 0)::numeric)::numeric(9, 4)
        as feature_breadth,
    case
        when compared.entitled_features > 0
            then least(compared.key_features / compared.entitled_features, 1)
    end::numeric(9, 4) as key_feature_breadth,
    case
        when compared.entitled_advanced_features > 0
            then
                least(
                    compared.advanced_features / compared.entitled_advanced_features, 1
                )
    end::numeric(9, 4) as advanced_feature_breadth,
    (compared.active_days / {{ policy('usage_window_days') }})::numeric(9, 4)
        as active_day_ratio,
    (compared.window_events / nullif(compared.users, 0))::numeric(12, 4)
        as events_per_active_user,
    compared.window_end_date
    - coalesce(compared.last_event_date, compared.first_paid_date)
        as days_since_last_use,
    array_position(
        array['green', 'yellow', 'red'],
        {{ usage_level('seat_level', 'seat_ratio') }}
    )
    - 1 as seat_level_severity,
    compared.seats as licensed_seats,
    compared.users as active_users,
    compared.active_days,
    compared.window_events,
    compared.earlier_events,
    compared.key_features,
    compared.entitled_features::bigint as entitled_features,
    compared.first_paid_date,
    compared.first_event_date,
    compared.last_event_date,
    compared.collected_from,
    compared.window_end_date as usage_observed_date,
    compared.as_of_date

from compared
