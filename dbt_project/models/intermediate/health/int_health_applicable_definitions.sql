with

definitions as (

    select * from {{ ref('int_health_definitions') }}

),

sources as (

    select * from {{ ref('int_health_sources') }}

),

segment_days as (

    select distinct
        segment,
        as_of_date

    from {{ ref('int_customer_days_to_score') }}

),

days as (

    select distinct as_of_date from segment_days

),

-- Share of a definition's weight whose sources had data by that day.
connected as (

    select
        days.as_of_date,
        definitions.definition,
        min(chosen_first.priority) as priority,
        coalesce(
            sum(definitions.weight) filter (
                where sources.first_date <= days.as_of_date
            ),
            0
        ) as connected_weight

    from days
    inner join definitions
        on
            days.as_of_date >= definitions.valid_from
            and days.as_of_date < definitions.valid_to
            and definitions.segment = 'all'
    inner join {{ ref('health_score_definitions') }} as chosen_first
        on definitions.definition = chosen_first.definition
    left join sources on definitions.source = sources.source

    group by days.as_of_date, definitions.definition

),

-- The definition that the policy names; else the first whose sources are all connected;
-- else the one with the largest connected weight.
day_definitions as (

    select distinct on (as_of_date)
        as_of_date,
        definition

    from connected

    order by
        as_of_date asc,
        definition = {{ policy('health_score_definition', 'text') }} desc,
        connected_weight >= {{ policy('definition_min_connected') }} desc,
        case
            when connected_weight >= {{ policy('definition_min_connected') }}
                then priority
        end asc,
        connected_weight desc,
        priority asc

)

-- A definition of the segment takes precedence over the one for all.
select distinct on (segment_days.segment, segment_days.as_of_date)
    segment_days.segment,
    segment_days.as_of_date,
    day_definitions.definition,
    definitions.version,
    definitions.segment as definition_segment

from segment_days
inner join day_definitions on segment_days.as_of_date = day_definitions.as_of_date
inner join definitions
    on
        day_definitions.definition = definitions.definition
        and definitions.segment in (segment_days.segment, 'all')
        and segment_days.as_of_date >= definitions.valid_from
        and segment_days.as_of_date < definitions.valid_to

order by
    segment_days.segment asc,
    segment_days.as_of_date asc,
    definitions.segment = 'all' asc
