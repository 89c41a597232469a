with

-- Before meetings were collected, a shared report could not be recorded.
collection as (

    select min(meeting_date) as first_date from {{ ref('int_meetings') }}

),

-- Counted from the last shared report or from the first payment.
reports as (

    select
        customer_id,
        meeting_date as report_date

    from {{ ref('int_meetings') }}

    where outcome = 'completed' and has_document and customer_id is not null

    union

    select
        ranges.customer_id,
        greatest(min(ranges.starts_date), collection.first_date) as report_date

    from {{ ref('int_mrr_ranges') }} as ranges
    inner join collection on collection.first_date is not null

    group by ranges.customer_id, collection.first_date

),

followed as (

    select
        *,
        report_date + {{ policy('report_days', 'int') }} as next_due_date,
        lead(report_date) over (partition by customer_id order by report_date)
            as next_date

    from reports

),

events as (

    select
        customer_id,
        'tagged_' || tag as alert_event,
        note_id as event_id,
        noted_date as opened_date,
        noted_date + 90 as closed_date,
        null::numeric as value,
        array[note_id] as evidence_ids,
        'a ' || split_part(note_id, ':', 1) || ' was tagged ' || replace(tag, '_', ' ')
            as evidence

    from {{ ref('int_commercial_notes') }}

    union all

    -- The event ends on the notice date: after it the renewal is decided.
    select
        customer_id,
        'notice_date_near' as alert_event,
        customer_id || ':' || renewal_date as event_id,
        notice_date - {{ policy('notice_lead_days', 'int') }} as opened_date,
        notice_date as closed_date,
        null as value,
        array[]::text[] as evidence_ids,
        'notice can be given until ' || notice_date || ', the contract renews on '
        || renewal_date as evidence

    from {{ ref('int_contract_terms') }}

    union all

    select
        movements.customer_id,
        'mrr_forecast_down' as alert_event,
        movements.customer_id || ':' || movements.currency || ':'
        || movements.movement_date as event_id,
        movements.movement_date as opened_date,
        movements.movement_date + 90 as closed_date,
        movements.movement_amount / before.mrr_amount as value,
        array[]::text[] as evidence_ids,
        'MRR fell by ' || round(-100 * movements.movement_amount / before.mrr_amount)
        || ' %' as evidence

    from {{ ref('int_mrr_movements') }} as movements
    inner join {{ ref('int_mrr_ranges') }} as before
        on
            movements.customer_id = before.customer_id
            and movements.currency = before.currency
            and movements.movement_date = before.ends_date

    where
        movements.movement = 'contraction'
        and -movements.movement_amount
        >= before.mrr_amount * {{ policy('mrr_forecast_fall') }}

    union all

    select
        customer_id,
        'no_report_shared' as alert_event,
        customer_id || ':' || report_date as event_id,
        next_due_date + 1 as opened_date,
        next_date as closed_date,
        null as value,
        array[]::text[] as evidence_ids,
        'no documented report was shared since ' || report_date as evidence

    from followed

    where next_date is null or next_date > next_due_date

)

{{ alert_events() }}
