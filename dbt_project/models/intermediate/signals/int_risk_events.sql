{#- Each area brings its events in one shape; here they are put together. -#}
{%- set areas = ['commercial', 'service', 'strategic', 'usage', 'voice'] -%}
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

-- Only who pays has something to lose.
of_customers as (

    select
        events.*,
        (
            select min(movements.movement_date)
            from {{ ref('int_mrr_movements') }} as movements
            where
                events.customer_id = movements.customer_id
                and movements.movement = 'churn'
                and events.opened_date < movements.movement_date
        ) as left_date

    from events

    where
        events.opened_date <= {{ as_of() }}
        and exists (
            select 1 from {{ ref('fct_mrr_daily') }} as mrr_daily
            where
                events.customer_id = mrr_daily.customer_id
                and events.opened_date = mrr_daily.as_of_date
        )

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
