with

loads as (

    select * from {{ source('ops', 'loads') }}

    where status = 'done' and loaded_at <= {{ known_at() }}

),

usage_days as (

    select * from {{ source('ops', 'usage_days') }}

    where loaded_at <= {{ known_at() }} and event_date <= {{ as_of() }}

),

-- A file that arrives today and ends in May tells nothing about June: a source reaches
-- to its newest day with usage, and never beyond what its loads are complete for.
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

-- Of several sources the one that reaches least far: beyond it a part is missing.
select
    min(collected_from) as collected_from,
    min(complete_to) as complete_to

from reaches
