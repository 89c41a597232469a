with

notes as (

    select
        customer_id,
        'tagged_' || tag as risk_event,
        note_id as event_id,
        noted_date as opened_date,
        noted_date + 90 as closed_date,
        null::numeric(18, 4) as value,
        array[note_id] as evidence_ids,
        'a ' || split_part(note_id, ':', 1) || ' was tagged ' || replace(tag, '_', ' ')
            as evidence

    from {{ ref('int_commercial_notes') }}

),

-- The clock runs to the day of notice: after it the renewal is decided.
notices as (

    select
        customer_id,
        'notice_date_near' as risk_event,
        customer_id || ':' || renewal_date as event_id,
        notice_date - {{ policy('notice_lead_days', 'int') }} as opened_date,
        notice_date as closed_date,
        null::numeric(18, 4) as value,
        array[]::text[] as evidence_ids,
        'notice can be given until ' || notice_date || ', the contract renews on '
        || renewal_date as evidence

    from {{ ref('int_contract_terms') }}

),

-- The first days count: after them the new order of things is known.
without_owner as (

    select
        customer_id,
        'plan_owner_removed' as risk_event,
        customer_id || ':' || opened_date as event_id,
        opened_date,
        least(closed_date, opened_date + {{ policy('plan_owner_days', 'int') }})
            as closed_date,
        null::numeric(18, 4) as value,
        contact_ids as evidence_ids,
        'nobody owns the plan since ' || opened_date as evidence

    from {{ ref('int_role_gaps') }}

    where role = 'plan_owner'

),

contractions as (

    select
        movements.customer_id,
        'mrr_forecast_down' as risk_event,
        movements.customer_id || ':' || movements.currency || ':'
        || movements.movement_date as event_id,
        movements.movement_date as opened_date,
        movements.movement_date + 90 as closed_date,
        (movements.movement_amount / before.mrr_amount)::numeric(18, 4) as value,
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

),

reach as (

    select min(meeting_date) as first_date from {{ ref('int_meetings') }}

),

-- Since the last report that was shared, or since the customer began to pay; before
-- meetings were collected nobody could have seen one.
reports as (

    select
        customer_id,
        meeting_date as report_date

    from {{ ref('int_meetings') }}

    where outcome = 'completed' and has_document and customer_id is not null

    union

    select
        ranges.customer_id,
        greatest(min(ranges.starts_date), reach.first_date) as report_date

    from {{ ref('int_mrr_ranges') }} as ranges
    inner join reach on reach.first_date is not null

    group by ranges.customer_id, reach.first_date

),

gaps as (

    select
        customer_id,
        report_date,
        lead(report_date) over (partition by customer_id order by report_date)
            as next_date

    from reports

),

unreported as (

    select
        customer_id,
        'no_report_shared' as risk_event,
        customer_id || ':' || report_date as event_id,
        report_date + {{ policy('report_days', 'int') }} + 1 as opened_date,
        next_date as closed_date,
        null::numeric(18, 4) as value,
        array[]::text[] as evidence_ids,
        'no documented report was shared since ' || report_date as evidence

    from gaps

    where
        next_date is null
        or next_date > report_date + {{ policy('report_days', 'int') }}

),

unpromised as (

    select
        customers.customer_id,
        'no_service_level' as risk_event,
        customers.customer_id as event_id,
        min(ranges.starts_date) as opened_date,
        null::date as closed_date,
        null::numeric(18, 4) as value,
        array[]::text[] as evidence_ids,
        'no service level is agreed' as evidence

    from {{ ref('int_customers') }} as customers
    inner join {{ ref('int_mrr_ranges') }} as ranges
        on customers.customer_id = ranges.customer_id

    where
        customers.segment not in (
            select targets.segment from {{ ref('support_sla_targets') }} as targets
        )

    group by customers.customer_id

)

{% set steps = [
    'notes', 'notices', 'without_owner', 'contractions', 'unreported', 'unpromised'
] -%}
{% for step in steps -%}
select * from {{ step }}
where opened_date <= {{ as_of() }}
{% if not loop.last %}
union all

{% endif %}
{%- endfor %}
