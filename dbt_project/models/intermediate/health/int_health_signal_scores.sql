with

signals as (

    select * from {{ ref('int_health_signals') }}

),

scored as (

    select
        *,
        {{ signal_points('value') }} as signal_score

    from signals

),

-- Weights are taken relative to what was measured that day.
weighted as (

    select
        *,
        sum(signal_score * weight) over up_to_here as points,
        sum(weight) filter (where signal_score is not null) over customer_days
            as measured_weight,
        weight / sum(weight) over customer_days as share

    from scored

    window
        customer_days as (partition by customer_id, as_of_date),
        up_to_here as (
            partition by customer_id, as_of_date
            order by signal
            rows between unbounded preceding and current row
        )

)

-- Rounded where the running sum passes, so that the parts add up to the rounded score
-- exactly. What was not measured contributes nothing, which is not the same as zero.
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
    max_age_days,
    sentence,
    observed_date,
    age_days,
    value,
    signal_score,
    share,
    case
        when signal_score is not null
            then
                round(points / measured_weight, 2)
                - round((points - signal_score * weight) / measured_weight, 2)
    end::numeric(5, 2) as contribution,
    ((100 - signal_score) * share)::numeric(7, 4) as lost_points

from weighted
