with

episodes as (

    select * from {{ ref('int_risk_metric_episodes') }}

    union all

    select * from {{ ref('int_risk_event_episodes') }}

),

rules as (

    select * from {{ ref('risk_rules') }}

)

select
    episodes.episode_id,
    episodes.customer_id,
    episodes.signal,
    rules.kind as signal_kind,
    episodes.rule_version,
    rules.severity,
    rules.metric,
    episodes.value,
    rules.threshold,
    episodes.evidence,
    episodes.evidence_ids,
    episodes.closed_date is null as is_open,
    episodes.close_reason,
    (
        coalesce(episodes.closed_date, {{ as_of() }} + 1) - episodes.opened_date
    )::int as open_days,
    episodes.opened_date,
    episodes.known_date,
    episodes.closed_date,
    {{ as_of() }} as as_of_date

from episodes
inner join rules
    on episodes.signal = rules.signal and episodes.rule_version = rules.version
