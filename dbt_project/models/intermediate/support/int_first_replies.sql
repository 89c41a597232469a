{{ config(materialized='table') }}

{% set day_end = "(" ~ as_of() ~ " + 1)::timestamp at time zone 'utc'" %}

with

tickets as (

    select * from {{ ref('int_tickets') }}

    where customer_id is not null and opened_date <= {{ as_of() }}

),

-- Follow-up tickets of a thread are one request, which starts with its first ticket. A
-- reply to any ticket answers the thread.
threads as (

    select
        customer_id,
        thread_id,
        count(*) as ticket_count,
        (array_agg(opening_priority order by opened_at, ticket_id))[1] as priority,
        (array_agg(channel order by opened_at, ticket_id))[1] as channel,
        min(opened_at) as opened_at,
        min(first_reply_at) filter (where first_reply_at < {{ day_end }}) as replied_at,
        max(coalesce(closed_at, 'infinity')) as closed_at

    from tickets

    group by customer_id, thread_id

),

-- An unanswered thread waits until it was closed or until the end of as_of.
waited as (

    select
        *,
        coalesce(replied_at, least(closed_at, {{ day_end }})) as waited_until

    from threads

),

timed as (

    select
        waited.*,
        (extract(epoch from waited.waited_until - waited.opened_at) / 3600)::numeric(
            12, 4
        ) as calendar_hours,
        (
            (
                {{ business_seconds_at('waited.waited_until', 'last_day') }}
                - {{ business_seconds_at('waited.opened_at', 'first_day') }}
            ) / 3600
        )::numeric(12, 4) as business_hours

    from waited
    inner join {{ ref('int_customer_calendars') }} as calendars
        on waited.customer_id = calendars.customer_id
    left join {{ ref('int_business_hours') }} as first_day
        on
            calendars.calendar = first_day.calendar
            and calendars.time_zone = first_day.time_zone
            and first_day.local_date
            = (waited.opened_at at time zone calendars.time_zone)::date
    left join {{ ref('int_business_hours') }} as last_day
        on
            calendars.calendar = last_day.calendar
            and calendars.time_zone = last_day.time_zone
            and last_day.local_date
            = (waited.waited_until at time zone calendars.time_zone)::date

),

promised as (

    select distinct on (timed.customer_id, timed.thread_id)
        timed.*,
        customers.segment,
        targets.first_reply_hours as promised_hours,
        targets.clock as promised_clock,
        case targets.clock
            when 'business' then timed.business_hours else timed.calendar_hours
        end as promised_clock_hours

    from timed
    inner join {{ ref('int_customers') }} as customers
        on timed.customer_id = customers.customer_id
    left join {{ ref('support_sla_targets') }} as targets
        on
            customers.segment = targets.segment
            and timed.priority = targets.priority
            and timed.opened_at::date >= targets.valid_from

    order by timed.customer_id asc, timed.thread_id asc, targets.valid_from desc

)

select
    *,
    case
        when replied_at is not null then promised_clock_hours <= promised_hours
        when promised_clock_hours >= promised_hours then false
    end as is_sla_met,
    opened_at::date as opened_date,
    replied_at is not null as is_answered

from promised
