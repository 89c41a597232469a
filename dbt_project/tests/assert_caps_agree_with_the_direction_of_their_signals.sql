-- A rule that fires when its metric gets better would lower the score of who improves.
select
    caps.definition,
    caps.rule,
    signals.signal

from {{ ref('health_score_caps') }} as caps
inner join {{ ref('health_score_signals') }} as signals
    on
        caps.definition = signals.definition
        and caps.metric = signals.metric

where caps.direction != signals.direction
