with

-- First day that a window of this build covers.
windows as (

    select
        least(min(customer_days.as_of_date), min(complete_days.complete_to))
        - {{ policy('usage_window_days', 'int') }} as after_date

    from {{ ref('int_customer_days_to_score') }} as customer_days
    cross join {{ ref('int_usage_complete_days') }} as complete_days

),

usage as (

    select
        customer_id,
        user_key,
        feature,
        event_date

    from {{ ref('int_usage') }}

    where
        customer_id is not null
        and event_date > (select windows.after_date from windows)
        and event_date <= {{ as_of() }}

),

entitlements as (

    select * from {{ ref('int_entitlement_ranges') }}

),

user_days as (

    select distinct
        customer_id,
        user_key as name,
        event_date

    from usage

    where user_key is not null

),

feature_days as (

    select distinct
        customer_id,
        feature as name,
        event_date

    from usage

),

active_days as (

    select
        'users' as kind,
        *

    from user_days

    union all

    select
        'features' as kind,
        *

    from feature_days

    union all

    select
        kind.name as kind,
        feature_days.customer_id,
        feature_days.name,
        feature_days.event_date

    from feature_days
    inner join entitlements
        on
            feature_days.customer_id = entitlements.customer_id
            and feature_days.name = entitlements.feature
            and feature_days.event_date >= entitlements.starts_date
            and feature_days.event_date < entitlements.ends_date
    inner join (values ('key_features'), ('advanced_features')) as kind (name)
        on kind.name = 'key_features' or entitlements.feature_group = 'advanced'

),

-- A user counts for one window length after each active day, cut at the next active
-- day. Such ranges never overlap, so the users active in a window are a running sum of
-- starts minus ends, without a join over the window.
stretches as (

    select
        *,
        least(
            event_date + {{ policy('usage_window_days', 'int') }},
            lead(event_date) over (
                partition by customer_id, kind, name order by event_date
            )
        ) as leaves_date

    from active_days

)

select
    stretches.customer_id,
    stretches.kind,
    sum(turn.step) as step,
    turn.step_date

from stretches
cross join
    lateral (
        values (1, stretches.event_date), (-1, stretches.leaves_date)
    ) as turn (step, step_date)

group by stretches.customer_id, stretches.kind, turn.step_date

having sum(turn.step) != 0
