with

metrics as (

    select * from {{ ref('int_customer_metrics_daily') }}

),

sets as materialized (

    select * from {{ ref('int_health_sets') }}

),

definitions as materialized (

    select * from {{ ref('int_health_definitions') }}

),

-- A metric is a column of the day's row, found by its name, so a new signal is a new
-- row of the seed and no other change. Materialized, or each signal would build the
-- document anew.
documents as materialized (

    select
        customer_id,
        segment,
        as_of_date,
        to_jsonb(metrics) as doc

    from metrics

),

measured as (

    select
        documents.customer_id,
        documents.as_of_date,
        sets.definition,
        sets.version,
        sets.set_segment,
        asked.signal,
        asked.source,
        asked.metric,
        asked.worst,
        asked.best,
        asked.weight,
        asked.sentence,
        (documents.doc ->> asked.metric)::numeric(18, 4) as raw_value,
        (documents.doc ->> (asked.metric || '_date'))::date as observed_date,
        asked.max_age_days

    from documents
    inner join sets
        on
            documents.segment = sets.segment
            and documents.as_of_date = sets.as_of_date
    -- Looked up from each document: the other way round every definition would read all
    -- documents again.
    cross join
        lateral (
            select definitions.* from definitions

            where
                definitions.definition = sets.definition
                and definitions.version = sets.version
                and definitions.segment = sets.set_segment

            offset 0 -- noqa: AM09
        ) as asked

)

-- Too old is as good as not measured: null, never zero and never neutral.
select
    customer_id,
    as_of_date,
    definition,
    version,
    set_segment,
    signal,
    source,
    metric,
    worst,
    best,
    weight,
    sentence,
    observed_date,
    max_age_days,
    as_of_date - observed_date as age_days,
    case
        when as_of_date - observed_date <= max_age_days then raw_value
    end::numeric(18, 4) as value

from measured
