with

pairs as (

    select * from {{ ref('int_health_score_pairs') }}

),

applicable as materialized (

    select * from {{ ref('int_health_applicable_definitions') }}

),

definitions as materialized (

    select * from {{ ref('int_health_definitions') }}

),

-- Compare both days under the later day's definition, from the published values.
compared as (

    select
        pairs.customer_id,
        pairs.as_of_date,
        pairs.days,
        definitions.component,
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
    inner join applicable
        on
            pairs.segment = applicable.segment
            and pairs.as_of_date = applicable.as_of_date
    inner join definitions
        on
            applicable.definition = definitions.definition
            and applicable.version = definitions.version
            and applicable.definition_segment = definitions.segment
    cross join lateral jsonb_array_elements(pairs.components) as component (doc)

    where component.doc ->> 'component' = definitions.component

),

ramped as (

    select
        *,
        {{ component_points('value') }} as score_now,
        {{ component_points('earlier_value') }} as score_then

    from compared

),

-- Only a component measured on both days has a data effect.
moved as (

    select
        *,
        case
            when score_now is not null and score_then is not null then weight
        end as shared_weight,
        coalesce((score_now - score_then) * weight, 0) as points

    from ramped

)

-- Components change one after another and the score is rounded at each step, so that
-- the effects add up to the data effect exactly.
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
        order by abs(points) desc, component asc
    ) as place

from moved

window
    whole as (partition by customer_id, as_of_date, days),
    up_to_here as (
        partition by customer_id, as_of_date, days
        order by component
        rows between unbounded preceding and current row
    ),
    before as (
        partition by customer_id, as_of_date, days
        order by component
        rows between unbounded preceding and 1 preceding
    )
