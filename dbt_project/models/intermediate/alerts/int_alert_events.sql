{%- set areas = [
    'commercial', 'feedback', 'people', 'service', 'strategic', 'survey', 'usage'
] -%}
with

events as (

    {% for area in areas -%}
    select * from {{ ref('int_alert_events_' ~ area) }}
    {{ "union all" if not loop.last }}
    {% endfor %}

),

-- Materialized so that Postgres evaluates the view once, not once per event.
periods as materialized (

    select * from {{ ref('int_active_periods') }}

),

-- An alert needs a customer with MRR at risk.
of_customers as (

    select
        events.*,
        periods.churned_date as left_date

    from events
    inner join periods
        on
            events.customer_id = periods.customer_id
            and events.opened_date >= periods.starts_date
            and events.opened_date < coalesce(periods.churned_date, 'infinity'::date)

    where events.opened_date <= {{ as_of() }}

),

-- A churned customer is no longer at risk. An event that began and ended on the same
-- day is open for that day.
ended as (

    select
        *,
        greatest(least(closed_date, left_date), opened_date + 1) as end_date

    from of_customers

)

select
    customer_id,
    alert_event,
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
