with

metrics as (

    select * from {{ ref('int_usage_metrics_daily') }}

),

rules as (

    select
        *,
        count(*) over (partition by segment) as condition_count

    from {{ ref('behavioural_segments') }}

),

documents as (

    select
        customer_id,
        as_of_date,
        to_jsonb(metrics) as doc

    from metrics

),

-- A condition on what is not measured does not hold.
held as (

    select
        documents.customer_id,
        documents.as_of_date,
        rules.segment,
        rules.priority,
        rules.condition_count

    from documents
    inner join rules
        on
            (
                rules.comparison = 'at_least'
                and (documents.doc ->> rules.metric)::numeric >= rules.threshold
            )
            or (
                rules.comparison = 'below'
                and (documents.doc ->> rules.metric)::numeric < rules.threshold
            )

),

complete as (

    select
        customer_id,
        as_of_date,
        segment,
        priority

    from held

    group by customer_id, as_of_date, segment, priority, condition_count

    having count(*) = condition_count

)

select distinct on (metrics.customer_id, metrics.as_of_date)
    metrics.customer_id,
    coalesce(complete.segment, 'regular') as behavioural_segment,
    metrics.as_of_date

from metrics
left join complete
    on
        metrics.customer_id = complete.customer_id
        and metrics.as_of_date = complete.as_of_date

order by metrics.customer_id, metrics.as_of_date, complete.priority
