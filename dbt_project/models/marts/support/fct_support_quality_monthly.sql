with

replies as (

    select
        *,
        coalesce(channel, 'unknown') as channel_name,
        coalesce(priority, 'unknown') as priority_name,
        date_trunc('month', opened_date)::date as month

    from {{ ref('int_first_replies') }}

    where opened_date < date_trunc('month', {{ as_of() }} + 1)

),

hours as (

    select * from {{ ref('int_first_reply_groups') }}

),

rises as (

    select
        month,
        coalesce(segment, 'all') as segment,
        count(*) as customers_with_tickets,
        count(*) filter (where is_rise) as customers_with_rise

    from {{ ref('int_complaint_rises') }}

    group by grouping sets ((month), (month, segment))

),

counted as (

    select
        month,
        coalesce(segment, 'all') as segment,
        coalesce(channel_name, 'all') as channel,
        coalesce(priority_name, 'all') as priority,
        count(*) as threads,
        sum(ticket_count)::bigint as tickets,
        count(*) filter (where is_answered) as answered_threads,
        count(*) filter (where not is_answered and closed_at != 'infinity')
            as closed_unanswered_threads,
        count(*) filter (where not is_answered and closed_at = 'infinity')
            as waiting_threads,
        count(*) filter (where is_sla_met is not null) as sla_due_threads,
        count(*) filter (where is_sla_met) as sla_met_threads

    from replies

    group by grouping sets (
        (month), (month, segment), (month, channel_name), (month, priority_name)
    )

)

select
    counted.month,
    counted.segment,
    counted.channel,
    counted.priority,
    counted.threads,
    counted.tickets,
    counted.answered_threads,
    counted.closed_unanswered_threads,
    counted.waiting_threads,
    {% for clock in ['calendar', 'business'] -%}
    {{ clock }}.slow_rate as {{ clock }}_under_24h_rate,
    {{ clock }}.good_rate as {{ clock }}_within_4h_rate,
    {{ clock }}.best_rate as {{ clock }}_within_2h_rate,
    {{ clock }}.median_hours as {{ clock }}_median_hours,
    {{ clock }}.p90_hours as {{ clock }}_p90_hours,
    {% endfor -%}
    counted.sla_due_threads,
    counted.sla_met_threads,
    (counted.sla_met_threads::numeric / nullif(counted.sla_due_threads, 0))::numeric(
        9, 6
    ) as sla_met_rate,
    rises.customers_with_tickets,
    rises.customers_with_rise

from counted
{% for clock in ['calendar', 'business'] -%}
left join hours as {{ clock }}
    on
        counted.month = {{ clock }}.month
        and counted.segment = {{ clock }}.segment
        and counted.channel = {{ clock }}.channel
        and counted.priority = {{ clock }}.priority
        and {{ clock }}.clock = '{{ clock }}'
{% endfor -%}
left join rises
    on
        counted.month = rises.month
        and counted.segment = rises.segment
        and counted.channel = 'all'
        and counted.priority = 'all'
