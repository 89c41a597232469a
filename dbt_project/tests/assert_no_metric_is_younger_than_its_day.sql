-- What is judged by hindsight must not have been written in hindsight: a metric whose
-- newest record is younger than its day knew what nobody knew.
select
    metrics.customer_id,
    metrics.as_of_date,
    metric.name,
    metric.value

from {{ ref('int_customer_metrics_history') }} as metrics
cross join lateral jsonb_each_text(to_jsonb(metrics)) as metric (name, value)

where
    (
        extract(day from metrics.as_of_date + 1) = 1
        or metrics.as_of_date = {{ as_of() }}
    )
    and metric.name like '%\_date'
    and metric.name != 'as_of_date'
    and metric.name not in ('last_review_date', 'cancellation_date')
    and metric.value::date > metrics.as_of_date
