with

late_replies as (

    select
        customer_id,
        'promise_of_reply_broken' as alert_event,
        thread_id as event_id,
        opened_date + (promised_hours / 24)::int as opened_date,
        opened_date + (promised_hours / 24)::int + 30 as closed_date,
        promised_clock_hours as value,
        array[thread_id] as evidence_ids,
        'a ' || priority || ' ticket waited ' || trim_scale(
            round(promised_clock_hours, 1)
        ) || ' hours for a reply, ' || trim_scale(promised_hours) || ' were promised'
            as evidence

    from {{ ref('int_first_replies') }}

    where not is_sla_met and priority in ('urgent', 'high')

),

rises as (

    select
        rises.customer_id,
        'complaints_beyond_chance' as alert_event,
        rises.customer_id || ':' || rises.month as event_id,
        months.closing_date as opened_date,
        months.closing_date + 30 as closed_date,
        rises.p_value as value,
        array[]::text[] as evidence_ids,
        rises.recent_tickets || ' tickets in 30 days where '
        || trim_scale(round(rises.expected_tickets, 1)) || ' are usual' as evidence

    from {{ ref('int_complaint_rises') }} as rises
    inner join {{ ref('int_months') }} as months on rises.month = months.month

    where rises.is_rise

),

unpromised as (

    select
        customers.customer_id,
        'no_service_level' as alert_event,
        customers.customer_id as event_id,
        min(ranges.starts_date) as opened_date,
        null::date as closed_date,
        null::numeric as value,
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

),

events as (

    select * from late_replies

    union all

    select * from rises

    union all

    select * from unpromised

)

{{ alert_events() }}
