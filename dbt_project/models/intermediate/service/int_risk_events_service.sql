with

late_replies as (

    select
        customer_id,
        'promise_of_reply_broken' as risk_event,
        thread_id as event_id,
        opened_date + (promised_hours / 24)::int as opened_date,
        opened_date + (promised_hours / 24)::int + 30 as closed_date,
        promised_clock_hours::numeric(18, 4) as value,
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
        'complaints_beyond_chance' as risk_event,
        rises.customer_id || ':' || rises.month as event_id,
        months.closing_date as opened_date,
        months.closing_date + 30 as closed_date,
        rises.p_value::numeric(18, 4) as value,
        array[]::text[] as evidence_ids,
        rises.recent_tickets || ' tickets in 30 days where '
        || trim_scale(round(rises.expected_tickets, 1)) || ' are usual' as evidence

    from {{ ref('int_complaint_rises') }} as rises
    inner join {{ ref('int_months') }} as months on rises.month = months.month

    where rises.is_rise

),

events as (

    select * from late_replies

    union all

    select * from rises

)

select * from events

where opened_date <= {{ as_of() }}
