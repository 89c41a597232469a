{%- set counts = [
    'window_events', 'earlier_events', 'trend_events', 'before_events', 'active_days',
    'users', 'features', 'key_features', 'advanced_features', 'entitled_features',
    'entitled_advanced_features'
] -%}

with

complete_days as (

    select * from {{ ref('int_usage_complete_days') }}

),

usage_daily as (

    select * from {{ ref('int_usage_daily') }}

),

-- The window ends where the source's data ends: later days are unknown, not empty.
window_ends as (

    select distinct
        customer_days.customer_id,
        least(customer_days.as_of_date, complete_days.complete_to) as day

    from {{ ref('int_customer_days_to_score') }} as customer_days
    cross join complete_days

    where complete_days.complete_to is not null

),

bounds as (

    select
        min(day) - 2 * greatest(
            {{ policy('usage_window_days', 'int') }},
            {{ policy('usage_trend_days', 'int') }}
        ) as after_date

    from window_ends

),

spans as (

    select
        usage_daily.customer_id,
        min(usage_daily.event_date) as first_event_date,
        max(usage_daily.event_date) filter (
            where usage_daily.event_date <= bounds.after_date
        ) as earlier_event_date

    from usage_daily
    cross join bounds

    group by usage_daily.customer_id

),

-- Events enter the current window on their day, the previous window after one window
-- length, and leave it after another.
timeline as (

    select
        usage_daily.customer_id,
        usage_daily.event_date
        + step.windows * {{ policy('usage_window_days', 'int') }}
        + step.trends * {{ policy('usage_trend_days', 'int') }} as day,
        step.kind,
        step.sign
        * case when step.kind = 'active_days' then 1 else usage_daily.event_count end
            as step,
        usage_daily.event_date

    from usage_daily
    cross join (
        values
        ('window_events', 0, 0, 1), ('window_events', 1, 0, -1),
        ('earlier_events', 1, 0, 1), ('earlier_events', 2, 0, -1),
        ('trend_events', 0, 0, 1), ('trend_events', 0, 1, -1),
        ('before_events', 0, 1, 1), ('before_events', 0, 2, -1),
        ('active_days', 0, 0, 1), ('active_days', 1, 0, -1)
    ) as step (kind, windows, trends, sign)

    where usage_daily.event_date > (select bounds.after_date from bounds)

    union all

    select
        customer_id,
        step_date as day,
        kind,
        step,
        null::date as event_date

    from {{ ref('int_usage_count_changes') }}

    union all

    select
        entitlements.customer_id,
        turn.day,
        kind.name as kind,
        turn.step,
        null::date as event_date

    from {{ ref('int_entitlement_ranges') }} as entitlements
    cross join
        lateral (
            values (1, entitlements.starts_date), (-1, entitlements.ends_date)
        ) as turn (step, day)
    inner join (
        values ('entitled_features'), ('entitled_advanced_features')
    ) as kind (name)
        on
            kind.name = 'entitled_features'
            or entitlements.feature_group = 'advanced'

    union all

    select
        customer_id,
        day,
        'end' as kind,
        0 as step,
        null::date as event_date

    from window_ends

),

windows as (

    select
        customer_id,
        day as window_end_date,
        bool_or(kind = 'end') as is_scored,
        {%- for count in counts %}
        sum(coalesce(sum(step) filter (where kind = '{{ count }}'), 0)) over so_far
            as {{ count }},
        {%- endfor %}
        max(max(event_date) filter (where event_date = day)) over so_far
            as newest_event_date

    from timeline

    group by customer_id, day

    window so_far as (partition by customer_id order by day)

)

select
    windows.*,
    coalesce(windows.newest_event_date, spans.earlier_event_date) as last_event_date,
    case
        when spans.first_event_date <= windows.window_end_date
            then spans.first_event_date
    end as first_event_date

from windows
left join spans on windows.customer_id = spans.customer_id

where windows.is_scored
