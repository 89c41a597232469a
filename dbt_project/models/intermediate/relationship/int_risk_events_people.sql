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

    from {{ ref('fct_stakeholder_coverage') }}

),

single_threads as (

    select
        customer_id,
        min(as_of_date) filter (where is_single_threaded) as opened_date,
        lead(min(as_of_date)) over (partition by customer_id order by breaks)
            as closed_date,
        max(top_person_share) filter (where is_single_threaded)::numeric(18, 4) as value

    from threads

    group by customer_id, breaks

),

events as (

    select
        customer_id,
        'champion_missing' as risk_event,
        customer_id || ':' || opened_date as event_id,
        opened_date,
        closed_date,
        null::numeric as value,
        contact_ids as evidence_ids,
        'the champion left and nobody has taken the role' as evidence

    from {{ ref('int_role_gaps') }}

    where role = 'champion'

    union all

    select
        customer_id,
        'key_person_changed' as risk_event,
        contact_id || ':' || ends_date as event_id,
        ends_known_date as opened_date,
        ends_known_date + {{ policy('key_person_days', 'int') }} as closed_date,
        null::numeric as value,
        array[contact_id] as evidence_ids,
        'a ' || replace(role, '_', ' ') || ' left or changed role on ' || ends_date
            as evidence

    from key_roles

    where
        role in ('decision_maker', 'economic_buyer', 'champion')
        and ends_known_date <= {{ as_of() }}

    union all

    select
        customer_id,
        'new_buyer' as risk_event,
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
        and starts_date <= {{ as_of() }}

    union all

    select
        customer_id,
        'single_threaded' as risk_event,
        customer_id || ':' || opened_date as event_id,
        opened_date,
        closed_date,
        value,
        array[]::text[] as evidence_ids,
        round(value * 100) || ' % of the contacts were with one person' as evidence

    from single_threads

    where opened_date is not null

)

select
    customer_id,
    risk_event,
    event_id,
    opened_date,
    case when closed_date <= {{ as_of() }} then closed_date end as closed_date,
    value::numeric(18, 4) as value,
    evidence_ids,
    evidence

from events
