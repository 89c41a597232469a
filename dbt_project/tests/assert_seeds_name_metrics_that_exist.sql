-- A misspelt metric raises no error and is never measured.
with

named as (

    select
        'health_score_components' as seed,
        metric

    from {{ ref('health_score_components') }}

    union all

    select
        'alert_rules' as seed,
        metric

    from {{ ref('alert_rules') }}

    where kind = 'metric'

)

select * from named

where metric not in (select metrics.metric from {{ ref('int_metrics') }} as metrics)
