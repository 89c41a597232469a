{{
    config(
        materialized='incremental',
        incremental_strategy='from_first_day'
    )
}}

with

earlier as (

    {{ event_alerts_before() }}

),

-- A late event is known from the day it arrived. A kind of event evaluated for the
-- first time is known from the day it happened.
compared as (

    select
        coalesce(events.alert_event, earlier.alert_event) as alert_event,
        coalesce(events.event_id, earlier.event_id) as event_id,
        coalesce(events.customer_id, earlier.customer_id) as customer_id,
        events.value,
        events.evidence_ids,
        events.evidence,
        events.opened_date,
        events.closed_date,
        events.has_left,
        events.opened_date is null as is_gone,
        earlier.status as status_before,
        earlier.opened_date as opened_before,
        case
            when
                earlier.alert_event is not null
                or events.alert_event in (
                    select known.alert_event from earlier as known
                )
                then {{ first_day_to_score() }}
            else '-infinity'::date
        end as first_date

    from {{ ref('int_alert_events') }} as events
    full outer join earlier
        on
            events.alert_event = earlier.alert_event
            and events.event_id = earlier.event_id
            and events.customer_id = earlier.customer_id

),

opened as (

    select
        alert_event,
        event_id,
        customer_id,
        'open' as status,
        value,
        evidence_ids,
        evidence,
        case when status_before is null then opened_date else first_date end
            as opened_date,
        null::date as closed_date,
        greatest(opened_date, first_date) as as_of_date

    from compared

    where
        not is_gone
        and (
            status_before is null
            or (status_before != 'open' and closed_date is null)
        )

),

ended as (

    select
        alert_event,
        event_id,
        customer_id,
        case
            when is_gone then 'withdrawn' when has_left then 'left' else 'closed'
        end as status,
        value,
        evidence_ids,
        evidence,
        coalesce(opened_before, opened_date) as opened_date,
        coalesce(closed_date, greatest(first_date, opened_before + 1)) as closed_date,
        greatest(closed_date, first_date) as as_of_date

    from compared

    where
        coalesce(status_before, 'open') = 'open'
        and (is_gone or closed_date is not null)

)

select * from opened

union all

select * from ended
