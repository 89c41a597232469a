with

metrics as (

    select * from {{ ref('int_customer_metrics_daily') }}

),

sets as materialized (

    select * from {{ ref('int_health_sets') }}

),

caps as (

    select
        *,
        lead(valid_from, 1, 'infinity'::date) over versions as valid_to

    from {{ ref('health_score_caps') }}

    window versions as (partition by definition, rule order by valid_from)

),

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
        caps.rule,
        caps.direction,
        caps.threshold,
        caps.cap,
        caps.sentence,
        case
            when
                caps.max_age_days is null
                or documents.as_of_date
                - (documents.doc ->> (caps.metric || '_date'))::date
                <= caps.max_age_days
                then (documents.doc ->> caps.metric)::numeric(18, 4)
        end as value

    from documents
    inner join sets
        on
            documents.segment = sets.segment
            and documents.as_of_date = sets.as_of_date
    inner join caps
        on
            sets.definition = caps.definition
            and documents.as_of_date >= caps.valid_from
            and documents.as_of_date < caps.valid_to

    where caps.cap is not null

),

-- Not measured is neither fired nor silent: the rule could hold.
judged as (

    select
        *,
        case direction
            when 'lower_is_better' then value >= threshold
            when 'higher_is_better' then value <= threshold
        end as is_fired

    from measured

)

select
    customer_id,
    as_of_date,
    min(cap) filter (where is_fired) as cap,
    min(cap) filter (where is_fired is null) as possible_cap,
    (array_agg(rule order by cap, rule) filter (where is_fired))[1] as rule,
    (
        array_agg({{ sentence('sentence', 'value') }} order by cap, rule)
        filter (where is_fired)
    )[1] as sentence

from judged

where is_fired is distinct from false

group by customer_id, as_of_date
