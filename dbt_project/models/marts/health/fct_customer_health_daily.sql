{{
    config(
        materialized='incremental',
        incremental_strategy='from_first_day',
        on_schema_change='append_new_columns'
    )
}}

with

scores as (

    select * from {{ ref('int_health_scores') }}

),

metrics as (

    select * from {{ ref('int_customer_metrics_daily') }}

)

select
    scores.customer_id,
    metrics.segment,
    scores.score,
    scores.coverage,
    scores.score_low,
    scores.score_high,
    scores.band,
    scores.components,
    scores.reasons,
    scores.reasons ->> 0 as main_reason,
    scores.version as score_version,
    metrics.mrr_reporting_amount,
    scores.as_of_date,
    {{ known_at() }} as known_at,
    scores.definition as score_definition,
    scores.raw_score,
    scores.adjustment,
    scores.is_band_certain,
    scores.cap_rule,
    scores.override_band,
    scores.override_reason,
    scores.override_owner,
    scores.override_expires_date,
    metrics.csm_sentiment,
    metrics.csm_sentiment_date,
    case
        when
            scores.band = 'red'
            and metrics.csm_sentiment >= {{ policy('sentiment_good_from') }}
            then 'csm_more_hopeful'
        when
            scores.band = 'green'
            and metrics.csm_sentiment <= {{ policy('sentiment_bad_to') }}
            then 'csm_more_worried'
    end as sentiment_disagreement

from scores
inner join metrics
    on
        scores.customer_id = metrics.customer_id
        and scores.as_of_date = metrics.as_of_date
