with

complete_days as (

    select * from {{ ref('int_usage_complete_days') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue') }}

),

entitlements as (

    select * from {{ ref('int_entitlement_ranges') }}

),

-- Without any use, the gap starts on the first paid day.
use_days as (

    select
        customer_id,
        event_date

    from {{ ref('int_usage_daily') }}

    union

    select
        revenue.customer_id,
        revenue.first_paid_date as event_date

    from revenue
    inner join complete_days on revenue.first_paid_date >= complete_days.collected_from

),

feature_days as (

    select distinct
        customer_id,
        feature,
        event_date

    from {{ ref('int_usage') }}

    where
        event_date <= {{ as_of() }}
        and feature in (select entitlements.feature from entitlements)

),

-- A feature is in regular use if it was used on enough days shortly before.
habits as (

    select
        feature_days.*,
        feature_days.event_date - lag(
            feature_days.event_date, {{ policy('feature_regular_days', 'int') }} - 1
        ) over (
            partition by feature_days.customer_id, feature_days.feature
            order by feature_days.event_date
        ) < {{ policy('feature_habit_days', 'int') }} as is_regular,
        lead(feature_days.event_date) over (
            partition by feature_days.customer_id, feature_days.feature
            order by feature_days.event_date
        ) as next_date

    from feature_days

),

gaps as (

    select
        customer_id,
        'two_weeks_silent' as alert_event,
        null as feature,
        event_date as last_date,
        lead(event_date) over (partition by customer_id order by event_date)
            as next_date,
        event_date + {{ policy('silent_days', 'int') }} as opened_date

    from use_days

    union all

    select
        habits.customer_id,
        'feature_abandoned' as alert_event,
        habits.feature,
        habits.event_date as last_date,
        habits.next_date,
        habits.event_date + {{ policy('feature_abandoned_days', 'int') }} as opened_date

    from habits
    inner join entitlements
        on
            habits.customer_id = entitlements.customer_id
            and habits.feature = entitlements.feature
            and habits.event_date >= entitlements.starts_date
            and habits.event_date < entitlements.ends_date

    where habits.is_regular

)

-- A return on opened_date itself is in time.
select gaps.*

from gaps
cross join complete_days

where
    gaps.opened_date <= complete_days.complete_to
    and (gaps.next_date is null or gaps.next_date > gaps.opened_date)
