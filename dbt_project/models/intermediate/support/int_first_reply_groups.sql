{{ config(materialized='table') }}

with

-- Complete months only. Every ticket counts once in each grouping of its month.
measured as (

    select
        date_trunc('month', replies.opened_date)::date as month,
        replies.is_answered,
        replies.customer_id,
        clocks.clock,
        clocks.hours,
        cuts.segment,
        cuts.channel,
        cuts.priority

    from {{ ref('int_first_replies') }} as replies
    cross join
        lateral (
            values
            ('calendar', replies.calendar_hours),
            ('business', replies.business_hours)
        ) as clocks (clock, hours)
    cross join
        lateral (
            values
            ('all', 'all', 'all'),
            (replies.segment, 'all', 'all'),
            ('all', coalesce(replies.channel, 'unknown'), 'all'),
            ('all', 'all', coalesce(replies.priority, 'unknown'))
        ) as cuts (segment, channel, priority)

    where
        replies.opened_date < date_trunc('month', {{ as_of() }} + 1)
        and clocks.hours is not null

),

-- Kaplan-Meier estimator: an unanswered thread is censored at the time it was last seen
-- waiting, and counts as at risk until then.
ranked as (

    select
        *,
        count(*) over cut - row_number() over (
            partition by month, clock, segment, channel, priority
            order by hours asc, is_answered desc, customer_id asc
        ) + 1 as waiting

    from measured

    window cut as (partition by month, clock, segment, channel, priority)

),

survived as (

    select
        *,
        sum(case when is_answered and waiting > 1 then ln(1 - 1.0 / waiting) else 0 end)
            over (
                partition by month, clock, segment, channel, priority
                order by hours asc, is_answered desc, waiting desc
            ) as log_share,
        is_answered and waiting = 1 as is_last_answered

    from ranked

),

shares as (

    select
        *,
        case when is_last_answered then 0 else exp(log_share) end as waiting_share

    from survived

)

select
    month,
    segment,
    channel,
    priority,
    clock,
    {% for name, hours in [
        ('slow', policy('first_reply_slow_hours')),
        ('good', policy('first_reply_good_hours')),
        ('best', policy('first_reply_best_hours'))
    ] -%}
    -- An unanswered thread younger than the limit neither met nor missed it.
    (
        count(*) filter (
            where is_answered
            and hours {{ '<' if name == 'slow' else '<=' }} {{ hours }}
        )
        / nullif(
            count(*) filter (where is_answered or hours >= {{ hours }})::numeric, 0
        )
    )::numeric(9, 6) as {{ name }}_rate,
    {% endfor -%}
    min(hours) filter (where waiting_share <= 0.5 + 1e-9)::numeric(12, 2)
        as median_hours,
    min(hours) filter (where waiting_share <= 0.1 + 1e-9)::numeric(12, 2) as p90_hours

from shares

group by month, segment, channel, priority, clock
