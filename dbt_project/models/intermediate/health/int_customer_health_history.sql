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

customer_days as (

    select * from {{ ref('int_customer_days_to_score') }}

),

sentiments as (

    select * from {{ ref('int_customer_metrics') }}

    where metric = 'csm_sentiment'

)

select
    scores.customer_id,
    customer_days.segment,
    scores.score,
    scores.coverage,
    scores.score_low,
    scores.score_high,
    scores.band,
    scores.components,
    scores.reasons,
    scores.reasons ->> 0 as main_reason,
    scores.version as score_version,
    customer_days.mrr_reporting_amount,
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
    sentiments.value::numeric(6, 2) as csm_sentiment,
    sentiments.observed_date as csm_sentiment_date,
    case
        when
            scores.band = 'red'
            and sentiments.value >= {{ policy('sentiment_good_from') }}
            then 'csm_more_hopeful'
        when
            scores.band = 'green'
            and sentiments.value <= {{ policy('sentiment_bad_to') }}
            then 'csm_more_worried'
    end as sentiment_disagreement

from scores
inner join customer_days
    on
        scores.customer_id = customer_days.customer_id
        and scores.as_of_date = customer_days.as_of_date
left join sentiments
    on
        scores.customer_id = sentiments.customer_id
        and scores.as_of_date = sentiments.as_of_date
