{{
    config(
        materialized='incremental',
        incremental_strategy='from_first_day',
        on_schema_change='append_new_columns'
    )
}}

with

metrics as (

    select * from {{ ref('int_usage_metrics_daily') }}

),

segments as (

    select * from {{ ref('int_behavioural_segments_daily') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

-- new requires the first use ever. A customer that paid before usage was collected may
-- have used the product before, so the first window cannot tell.
lifecycles as (

    select
        *,
        case
            when first_event_date is null then 'never_used'
            when window_events = 0 then 'dormant'
            when
                first_event_date
                > usage_observed_date - {{ policy('usage_window_days', 'int') }}
                then
                    case
                        when
                            first_paid_date >= collected_from
                            or first_event_date
                            >= collected_from + {{ policy('usage_window_days', 'int') }}
                            then 'new'
                    end
            when earlier_events > 0 then 'returning'
            else 'resurrecting'
        end as lifecycle

    from metrics

)

select
    lifecycles.customer_id,
    customers.segment,
    lifecycles.lifecycle,
    segments.behavioural_segment,
    lifecycles.active_user_level,
    lifecycles.seat_level,
    lifecycles.usage_trend_level,
    lifecycles.active_users::bigint as active_users,
    lifecycles.licensed_seats::numeric(18, 4) as licensed_seats,
    (lifecycles.active_users / lifecycles.licensed_seats)::numeric(9, 4)
        as active_seat_ratio,
    lifecycles.days_since_last_use,
    lifecycles.key_features::bigint as key_features,
    lifecycles.entitled_features,
    lifecycles.key_feature_breadth,
    lifecycles.advanced_feature_breadth,
    lifecycles.events_per_active_user,
    lifecycles.active_days::bigint as active_days,
    lifecycles.active_day_ratio,
    lifecycles.window_events::bigint as event_count,
    lifecycles.usage_trend_30d_ratio,
    lifecycles.days_since_last_use >= {{ policy('silent_days', 'int') }} as is_silent,
    lifecycles.first_event_date,
    lifecycles.last_event_date,
    lifecycles.usage_observed_date,
    lifecycles.as_of_date

from lifecycles
inner join segments
    on
        lifecycles.customer_id = segments.customer_id
        and lifecycles.as_of_date = segments.as_of_date
left join customers on lifecycles.customer_id = customers.customer_id
