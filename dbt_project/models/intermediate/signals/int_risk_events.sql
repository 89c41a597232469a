{#- Each area brings its events in one shape; here they are put together. -#}
{%- set areas = [
    'commercial', 'people', 'service', 'strategic', 'usage', 'voice'
] -%}
with

events as (

    select
        null::text as customer_id,
        null::text as risk_event,
        null::text as event_id,
        null::date as opened_date,
        null::date as closed_date,
        null::numeric(18, 4) as value,
        null::text[] as evidence_ids,
        null::text as evidence

    where false
    {% for area in areas %}

    union all

    select
        customer_id,
        risk_event,
        event_id,
        opened_date,
        closed_date,
        value,
        evidence_ids,
        evidence

    from {{ ref('int_risk_events_' ~ area) }}
    {% endfor %}

),

-- Worked out once, and not once per event.
stays as materialized (

    select * from {{ ref('int_customer_stays') }}

),

-- Only who pays has something to lose.
of_customers as (

    select
        events.*,
        stays.churned_date as left_date

    from events
    inner join stays
        on
            events.customer_id = stays.customer_id
            and events.opened_date >= stays.starts_date
            and events.opened_date < coalesce(stays.churned_date, 'infinity'::date)

    where events.opened_date <= {{ as_of() }}

),

-- Who left is at risk no more. What began and ended on a day was on for that day.
ended as (

    select
        *,
        greatest(least(closed_date, left_date), opened_date + 1) as end_date

    from of_customers

)

select
    customer_id,
    risk_event,
    event_id,
    opened_date,
    case
        when
            end_date <= {{ as_of() }}
            and coalesce(closed_date, left_date) is not null
            then end_date
    end as closed_date,
    coalesce(left_date <= closed_date, left_date is not null) as has_left,
    value,
    evidence_ids,
    evidence

from ended
