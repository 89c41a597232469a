{%- set metrics = [
    'active_seat_ratio', 'usage_trend_30d_ratio', 'key_feature_breadth',
    'advanced_feature_breadth', 'active_day_ratio', 'events_per_active_user',
    'window_events', 'active_users', 'days_since_last_use'
] -%}
{{
    config(
        materialized='incremental',
        incremental_strategy='from_first_day',
        on_schema_change='append_new_columns'
    )
}}

with

customer_days as (

    select * from {{ ref('int_customer_days_to_score') }}

),

usage as (

    select * from {{ ref('int_usage_metrics_daily') }}

),

measures as (

    select
        customer_days.as_of_date,
        measure.metric,
        measure.value,
        avg(measure.value) over same as mean_value

    from customer_days
    left join usage
        on
            customer_days.customer_id = usage.customer_id
            and customer_days.as_of_date = usage.as_of_date
    cross join
        lateral (
            values
            {%- for metric in metrics %}
            ('{{ metric }}', usage.{{ metric }}::numeric(18, 4))
            {%- if not loop.last %},{% endif %}
            {%- endfor %}
        ) as measure (metric, value)

    window same as (partition by customer_days.as_of_date, measure.metric)

),

summed as (

    select
        as_of_date,
        metric,
        count(*) as customer_count,
        count(value) as measured_count,
        (count(value) / count(*)::numeric)::numeric(9, 6) as measured_rate,
        (count(*) filter (where value = 0) / nullif(count(value), 0)::numeric)
        ::numeric(9, 6) as zero_rate,
        (percentile_disc(0.5) within group (order by value))::numeric(18, 4)
            as median_value,
        min(value)::numeric(18, 4) as minimum_value,
        max(value)::numeric(18, 4) as maximum_value,
        (
            avg(power((value - mean_value)::float, 3))
            / nullif(power(stddev_pop(value)::float, 3), 0)
        )::numeric(12, 4) as skewness

    from measures

    group by as_of_date, metric

)

select
    metric,
    case
        when measured_rate < {{ policy('usage_metric_min_measured') }}
            then 'measured for too few'
        when skewness > {{ policy('usage_metric_log_skew') }} then 'compare logarithms'
        else 'use as it is'
    end as advice,
    customer_count,
    measured_count,
    measured_rate,
    zero_rate,
    median_value,
    minimum_value,
    maximum_value,
    skewness,
    as_of_date

from summed
