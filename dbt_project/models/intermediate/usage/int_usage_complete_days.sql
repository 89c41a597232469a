with

loads as (

    select * from {{ source('ops', 'loads') }}

    where status = 'done' and loaded_at <= {{ known_at() }}

),

usage_days as (

    select * from {{ source('ops', 'usage_days') }}

    where loaded_at <= {{ known_at() }} and event_date <= {{ as_of() }}

),

-- A file loaded today may end in May. A source is complete to its newest day with
-- usage, and at most to the day for which its loads are complete.
reaches as (

    select
        usage_days.source,
        usage_days.stream,
        min(usage_days.event_date) as collected_from,
        least(
            max(usage_days.event_date),
            (
                select (max(loads.window_end) - interval '1 microsecond')::date
                from loads
                where
                    loads.source = usage_days.source
                    and loads.stream = usage_days.stream
            )
        ) as complete_to

    from usage_days

    group by usage_days.source, usage_days.stream

)

-- The least complete source decides: after its last day a part of the usage is missing.
select
    min(collected_from) as collected_from,
    min(complete_to) as complete_to

from reaches
