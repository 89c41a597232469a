{{
    config(
        materialized='incremental',
        incremental_strategy='from_first_day',
        on_schema_change='append_new_columns'
    )
}}

with

signal_scores as (

    select * from {{ ref('int_health_signal_scores') }}

),

metrics as (

    select * from {{ ref('int_customer_metrics_daily') }}

),

bands as (

    select
        *,
        high = max(high) over () as is_top

    from {{ ref('health_bands') }}

),

ranked as (

    select
        *,
        row_number() over (
            partition by customer_id, as_of_date
            order by lost_points desc nulls last, signal asc
        ) as place

    from signal_scores

),

-- Missing signals could be anything: low takes them as worst and high as best.
scored as (

    select
        customer_id,
        as_of_date,
        max(version) as score_version,
        case when count(signal_score) > 0 then sum(contribution) end::numeric(5, 2)
            as score,
        coalesce(sum(share) filter (where signal_score is not null), 0)::numeric(4, 3)
            as coverage,
        coalesce(sum(signal_score * share), 0)::numeric(5, 2) as score_low,
        (
            coalesce(sum(signal_score * share), 0)
            + coalesce(sum(share * 100) filter (where signal_score is null), 0)
        )::numeric(5, 2)
            as score_high,
        jsonb_agg(
            jsonb_build_object(
                'signal', signal,
                'metric', metric,
                'value', value,
                'observed_date', observed_date,
                'signal_score', round(signal_score, 2),
                'weight', weight,
                'contribution', contribution,
                'lost_points', round(lost_points, 2)
            ) order by signal
        ) as components,
        coalesce(
            jsonb_agg({{ sentence('sentence', 'value') }} order by place) filter (
                where place <= 3 and lost_points >= 1
            ),
            '[]'::jsonb
        ) as reasons

    from ranked

    group by customer_id, as_of_date

),

banded as (

    select
        scored.*,
        case
            when scored.score is null or scored.coverage < {{ policy('min_coverage') }}
                then 'unknown'
            else bands.band
        end as band

    from scored
    left join bands
        on
            scored.score >= bands.low
            and (
                scored.score < bands.high
                or (bands.is_top and scored.score = bands.high)
            )

)

select
    banded.customer_id,
    metrics.segment,
    banded.score,
    banded.coverage,
    banded.score_low,
    banded.score_high,
    banded.band,
    banded.components,
    banded.reasons,
    banded.reasons ->> 0 as main_reason,
    banded.score_version,
    metrics.mrr_reporting_amount,
    banded.as_of_date,
    {{ known_at() }} as known_at

from banded
inner join metrics
    on
        banded.customer_id = metrics.customer_id
        and banded.as_of_date = metrics.as_of_date
