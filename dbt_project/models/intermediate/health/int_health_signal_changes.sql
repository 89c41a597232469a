with

pairs as (

    select * from {{ ref('int_health_score_pairs') }}

),

sets as materialized (

    select * from {{ ref('int_health_sets') }}

),

definitions as materialized (

    select * from {{ ref('int_health_definitions') }}

),

-- Both days under today's definition, from what was published of each.
compared as (

    select
        pairs.customer_id,
        pairs.as_of_date,
        pairs.days,
        definitions.signal,
        definitions.weight,
        definitions.worst,
        definitions.best,
        definitions.sentence,
        (component.doc ->> 'value')::numeric(18, 4) as value,
        case
            when
                (pairs.asked -> definitions.metric ->> 1)::int
                <= definitions.max_age_days
                then (pairs.asked -> definitions.metric ->> 0)::numeric(18, 4)
        end as earlier_value,
        pairs.asked -> definitions.metric is not null as was_asked

    from pairs
    inner join sets
        on
            pairs.segment = sets.segment
            and pairs.as_of_date = sets.as_of_date
    inner join definitions
        on
            sets.definition = definitions.definition
            and sets.version = definitions.version
            and sets.set_segment = definitions.segment
    cross join lateral jsonb_array_elements(pairs.components) as component (doc)

    where component.doc ->> 'signal' = definitions.signal

),

ramped as (

    select
        *,
        {{ signal_points('value') }} as score_now,
        {{ signal_points('earlier_value') }} as score_then

    from compared

),

-- What was measured on both days can have moved the score; the rest came or went.
moved as (

    select
        *,
        case
            when score_now is not null and score_then is not null then weight
        end as shared_weight,
        coalesce((score_now - score_then) * weight, 0) as points

    from ramped

)

-- One signal after the other goes from what it was to what it is, and the score is
-- rounded at each step: so the steps add up to the way.
select
    *,
    round(
        (
            sum(score_then * shared_weight) over whole
            + sum(points) over up_to_here
        )
        / sum(shared_weight) over whole, 2
    )
    - round(
        (
            sum(score_then * shared_weight) over whole
            + coalesce(sum(points) over before, 0)
        )
        / sum(shared_weight) over whole, 2
    ) as effect,
    row_number() over (
        partition by customer_id, as_of_date, days
        order by abs(points) desc, signal asc
    ) as place

from moved

window
    whole as (partition by customer_id, as_of_date, days),
    up_to_here as (
        partition by customer_id, as_of_date, days
        order by signal
        rows between unbounded preceding and current row
    ),
    before as (
        partition by customer_id, as_of_date, days
        order by signal
        rows between unbounded preceding and 1 preceding
    )
