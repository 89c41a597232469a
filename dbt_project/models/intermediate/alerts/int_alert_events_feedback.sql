with

items as (

    select
        *,
        bool_or(implemented_date is not null) over (partition by source) as is_tracked,
        least(prioritized_date, implemented_date) as first_step_date,
        implemented_date + {{ policy('inform_days', 'int') }} as inform_by_date,
        raised_date + {{ policy('feedback_age_days', 'int') }} as forgotten_date

    from {{ ref('int_feedback_items') }}

),

events as (

    select
        customer_id,
        'feedback_not_told' as alert_event,
        feedback_id as event_id,
        inform_by_date as opened_date,
        informed_date as closed_date,
        {{ as_of() }} - implemented_date as value,
        {{ evidence_of('feedback', 'array[feedback_id]') }} as evidence_ids,
        'A wish was built on ' || implemented_date || ' and the customer was not told.'
            as evidence

    from items

    where
        is_tracked
        and coalesce(informed_date > inform_by_date, implemented_date is not null)

    union all

    -- Without a recorded implementation date, lateness is unknown.
    select
        customer_id,
        'feedback_forgotten' as alert_event,
        feedback_id as event_id,
        forgotten_date as opened_date,
        first_step_date as closed_date,
        coalesce(first_step_date, {{ as_of() }}) - raised_date as value,
        {{ evidence_of('feedback', 'array[feedback_id]') }} as evidence_ids,
        'A wish raised on ' || raised_date || ' was neither prioritized nor built.'
            as evidence

    from items

    where is_tracked and coalesce(first_step_date > forgotten_date, true)

)

{{ alert_events() }}
