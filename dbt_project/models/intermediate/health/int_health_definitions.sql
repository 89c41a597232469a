with recursive

signals as (

    select * from {{ ref('health_score_signals') }}

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

        from signals
    ) as named

    window sets as (partition by definition, segment order by valid_from)

),

-- A version names what it changes. A weight it names is taken as written; the signals
-- it does not name share what is left in the proportions they had, in steps that add up
-- to one to the last digit.
weights as (

    select distinct
        definition,
        segment,
        signal,
        0::bigint as place,
        null::numeric as weight,
        null::int as named_version

    from signals

    union all

    select
        weights.definition,
        weights.segment,
        weights.signal,
        versions.place,
        case
            when signals.signal is not null then signals.weight
            when weights.weight is not null
                then
                    round(
                        sum(weights.weight) filter (
                            where signals.signal is null
                        ) over up_to_here
                        * (1 - coalesce(sum(signals.weight) over whole, 0))
                        / nullif(sum(weights.weight) filter (
                            where signals.signal is null
                        ) over whole, 0), 6
                    )
                    - round(
                        coalesce(sum(weights.weight) filter (
                            where signals.signal is null
                        ) over before, 0)
                        * (1 - coalesce(sum(signals.weight) over whole, 0))
                        / nullif(sum(weights.weight) filter (
                            where signals.signal is null
                        ) over whole, 0), 6
                    )
        end::numeric as weight,
        case
            when signals.signal is not null then versions.version
            else weights.named_version
        end as named_version

    from weights
    inner join versions
        on
            weights.definition = versions.definition
            and weights.segment = versions.segment
            and versions.place = weights.place + 1
    left join signals
        on
            versions.definition = signals.definition
            and versions.segment = signals.segment
            and versions.version = signals.version
            and weights.signal = signals.signal

    window
        whole as (
            partition by weights.definition, weights.segment, versions.place
        ),
        up_to_here as (
            partition by weights.definition, weights.segment, versions.place
            order by weights.signal
            rows between unbounded preceding and current row
        ),
        before as (
            partition by weights.definition, weights.segment, versions.place
            order by weights.signal
            rows between unbounded preceding and 1 preceding
        )

)

-- A weight of zero takes a signal out.
select
    weights.definition,
    versions.version,
    weights.segment,
    weights.signal,
    signals.source,
    signals.metric,
    signals.direction,
    signals.worst,
    signals.best,
    weights.weight::numeric(8, 6) as weight,
    signals.max_age_days,
    signals.owner,
    signals.sentence,
    signals.description,
    versions.valid_from,
    versions.valid_to

from weights
inner join versions
    on
        weights.definition = versions.definition
        and weights.segment = versions.segment
        and weights.place = versions.place
inner join signals
    on
        weights.definition = signals.definition
        and weights.segment = signals.segment
        and weights.signal = signals.signal
        and weights.named_version = signals.version

where weights.weight > 0
