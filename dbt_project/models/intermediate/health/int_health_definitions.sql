with recursive

components as (

    select * from {{ ref('health_score_components') }}

),

versions as (

    select
        definition,
        segment,
        version,
        valid_from,
        row_number() over sets as place,
        lead(valid_from, 1, 'infinity'::date) over sets as valid_to

    from (
        select distinct
            definition,
            segment,
            version,
            valid_from

        from components
    ) as named

    window sets as (partition by definition, segment order by valid_from)

),

-- A version lists only what it changes. Listed weights hold as written. The other
-- components share the remainder in their former proportions, rounded so that all
-- weights add up to exactly 1.
weights as (

    select distinct
        definition,
        segment,
        component,
        0::bigint as place,
        null::numeric as weight,
        null::int as named_version

    from components

    union all

    select
        weights.definition,
        weights.segment,
        weights.component,
        versions.place,
        case
            when components.component is not null then components.weight
            when weights.weight is not null
                then
                    round(
                        sum(weights.weight) filter (
                            where components.component is null
                        ) over up_to_here
                        * (1 - coalesce(sum(components.weight) over whole, 0))
                        / nullif(sum(weights.weight) filter (
                            where components.component is null
                        ) over whole, 0), 6
                    )
                    - round(
                        coalesce(sum(weights.weight) filter (
                            where components.component is null
                        ) over before, 0)
                        * (1 - coalesce(sum(components.weight) over whole, 0))
                        / nullif(sum(weights.weight) filter (
                            where components.component is null
                        ) over whole, 0), 6
                    )
        end::numeric as weight,
        case
            when components.component is not null then versions.version
            else weights.named_version
        end as named_version

    from weights
    inner join versions
        on
            weights.definition = versions.definition
            and weights.segment = versions.segment
            and versions.place = weights.place + 1
    left join components
        on
            versions.definition = components.definition
            and versions.segment = components.segment
            and versions.version = components.version
            and weights.component = components.component

    window
        whole as (
            partition by weights.definition, weights.segment, versions.place
        ),
        up_to_here as (
            partition by weights.definition, weights.segment, versions.place
            order by weights.component
            rows between unbounded preceding and current row
        ),
        before as (
            partition by weights.definition, weights.segment, versions.place
            order by weights.component
            rows between unbounded preceding and 1 preceding
        )

)

-- A weight of zero removes a component.
select
    weights.definition,
    versions.version,
    weights.segment,
    weights.component,
    components.source,
    components.metric,
    components.direction,
    components.worst,
    components.best,
    weights.weight::numeric(8, 6) as weight,
    components.max_age_days,
    components.owner,
    components.sentence,
    components.description,
    versions.valid_from,
    versions.valid_to

from weights
inner join versions
    on
        weights.definition = versions.definition
        and weights.segment = versions.segment
        and weights.place = versions.place
inner join components
    on
        weights.definition = components.definition
        and weights.segment = components.segment
        and weights.component = components.component
        and weights.named_version = components.version

where weights.weight > 0
