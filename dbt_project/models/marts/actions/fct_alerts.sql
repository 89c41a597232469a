with

signals as (

    select * from {{ ref('fct_risk_signals') }}

),

judged as (

    select * from {{ ref('int_risk_signals_judged') }}

),

quality as (

    select * from {{ ref('fct_signal_quality') }}

),

stays as (

    select * from {{ ref('int_customer_stays') }}

),

mrr as (

    select
        customer_id,
        as_of_date,
        sum(mrr_reporting_amount)::numeric(18, 4) as mrr_amount

    from {{ ref('fct_mrr_daily') }}

    group by customer_id, as_of_date

),

actions as (

    select * from {{ ref('int_actions') }}

    where acted_at < {{ midnight_after(as_of()) }}

),

-- The first thing anybody did for the customer within the horizon of the warning.
acts as (

    select distinct on (signals.episode_id)
        signals.episode_id,
        actions.acted_at,
        actions.action_id,
        actions.action_kind

    from signals
    inner join actions
        on
            signals.customer_id = actions.customer_id
            and {{ midnight_after('signals.known_date') }} <= actions.acted_at
            and {{ midnight_after(
                "signals.known_date + " ~ policy('signal_horizon_days', 'int')
            ) }} > actions.acted_at

    order by
        signals.episode_id asc, actions.acted_at asc, actions.action_id asc

)

select
    signals.episode_id as alert_id,
    signals.customer_id,
    signals.signal,
    signals.rule_version,
    signals.severity,
    quality.verdict as rule_verdict,
    signals.evidence,
    signals.evidence_ids,
    signals.known_date as raised_date,
    signals.closed_date,
    (mrr.mrr_amount * 12)::numeric(18, 4) as arr_at_risk_amount,
    acts.acted_at,
    acts.action_kind as acted_by_kind,
    acts.action_id as acted_by_id,
    (extract(
        epoch from acts.acted_at - {{ midnight_after('signals.known_date') }}
    ) / 3600)::numeric(12, 2) as hours_to_act,
    coalesce(judged.is_mature, false) as is_mature,
    case
        when judged.is_followed_by_churn then 'churned'
        when judged.is_mature then 'stayed'
    end as outcome,
    case
        when judged.is_followed_by_churn then stays.churned_date - signals.known_date
    end as lead_days,
    {{ as_of() }} as as_of_date

from signals
left join judged on signals.episode_id = judged.episode_id
left join quality on signals.signal = quality.signal
left join stays
    on
        signals.customer_id = stays.customer_id
        and signals.known_date >= stays.starts_date
        and signals.known_date < coalesce(stays.churned_date, 'infinity'::date)
left join mrr
    on
        signals.customer_id = mrr.customer_id
        and signals.known_date = mrr.as_of_date
left join acts on signals.episode_id = acts.episode_id
