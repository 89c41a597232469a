{{ config(materialized='table') }}

with

key_roles as (

    select
        *,
        min(starts_date) over (partition by customer_id) as first_role_date

    from {{ ref('int_contact_roles') }}

),

threads as (

    select
        *,
        count(*) filter (where is_single_threaded is not true) over (
            partition by customer_id order by as_of_date
        ) as breaks

    from {{ ref('int_stakeholder_coverage') }}

),

single_threads as (

    select
        customer_id,
        min(as_of_date) filter (where is_single_threaded) as opened_date,
        lead(min(as_of_date)) over (partition by customer_id order by breaks)
            as closed_date,
        max(top_person_share) filter (where is_single_threaded) as value

    from threads

    group by customer_id, breaks

),

events as (

    -- A missing plan owner is an alert only for the first days after the change.
    select
        customer_id,
        case role
            when 'champion' then 'champion_missing' else 'plan_owner_removed'
        end as alert_event,
        customer_id || ':' || opened_date as event_id,
        opened_date,
        case role
            when 'champion' then closed_date
            else
                least(closed_date, opened_date + {{ policy('plan_owner_days', 'int') }})
        end as closed_date,
        null::numeric as value,
        contact_ids as evidence_ids,
        case role
            when 'champion' then 'the champion left and nobody has taken the role'
            else 'nobody owns the plan since ' || opened_date
        end as evidence

    from {{ ref('int_role_gaps') }}

    union all

    select
        customer_id,
        'key_person_changed' as alert_event,
        contact_id || ':' || ends_date as event_id,
        ends_known_date as opened_date,
        ends_known_date + {{ policy('key_person_days', 'int') }} as closed_date,
        null::numeric as value,
        array[contact_id] as evidence_ids,
        'a ' || replace(role, '_', ' ') || ' left or changed role on ' || ends_date
            as evidence

    from key_roles

    where role in ('decision_maker', 'economic_buyer', 'champion')

    union all

    select
        customer_id,
        'new_buyer' as alert_event,
        contact_id || ':' || starts_date as event_id,
        starts_date as opened_date,
        starts_date + {{ policy('key_person_days', 'int') }} as closed_date,
        null::numeric as value,
        array[contact_id] as evidence_ids,
        'a new ' || replace(role, '_', ' ') || ' since ' || starts_date as evidence

    from key_roles

    where
        role in ('decision_maker', 'economic_buyer')
        and starts_date > first_role_date + {{ policy('key_person_days', 'int') }}

    union all

    select
        customer_id,
        'single_threaded' as alert_event,
        customer_id || ':' || opened_date as event_id,
        opened_date,
        closed_date,
        value,
        array[]::text[] as evidence_ids,
        round(value * 100) || ' % of the contacts were with one person' as evidence

    from single_threads

    where opened_date is not null

)

{{ alert_events() }}
