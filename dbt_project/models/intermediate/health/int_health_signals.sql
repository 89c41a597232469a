with

metrics as (

    select * from {{ ref('int_customer_metrics_daily') }}

),

signals as (

    select
        *,
        lead(valid_from, 1, 'infinity'::date) over versions as valid_to

    from {{ ref('health_score_signals') }}

    window versions as (partition by segment, signal order by valid_from)

),

-- The version in force on a day is the newest one that had begun, for the segment or
-- for all.
versions as (

    select distinct
        version,
        valid_from,
        segment

    from signals

),

chosen as (

    select distinct on (metrics.customer_id, metrics.as_of_date)
        metrics.customer_id,
        metrics.as_of_date,
        versions.version,
        versions.segment

    from metrics
    inner join versions
        on
            metrics.as_of_date >= versions.valid_from
            and versions.segment in (metrics.segment, 'all')

    -- A segment's own set of signals goes before the set for all.
    order by
        metrics.customer_id asc,
        metrics.as_of_date asc,
        versions.valid_from desc,
        versions.segment = 'all'

),

-- A metric is a column of the day's row, found by its name, so a new signal is a new
-- row of the seed and no other change. Materialized, or each signal would build the
-- document anew.
documents as materialized (

    select
        customer_id,
        as_of_date,
        to_jsonb(metrics) as doc

    from metrics

),

measured as (

    select
        documents.customer_id,
        documents.as_of_date,
        chosen.version,
        signals.signal,
        signals.metric,
        signals.worst,
        signals.best,
        signals.weight,
        signals.sentence,
        (documents.doc ->> signals.metric)::numeric(18, 4) as raw_value,
        (documents.doc ->> (signals.metric || '_date'))::date as observed_date,
        signals.max_age_days

    from documents
    inner join chosen
        on
            documents.customer_id = chosen.customer_id
            and documents.as_of_date = chosen.as_of_date
    inner join signals
        on
            chosen.version = signals.version
            and chosen.segment = signals.segment

)

-- Too old is as good as not measured: null, never zero and never neutral.
select
    customer_id,
    as_of_date,
    version,
    signal,
    metric,
    worst,
    best,
    weight,
    sentence,
    observed_date,
    case
        when as_of_date - observed_date <= max_age_days then raw_value
    end::numeric(18, 4) as value

from measured
