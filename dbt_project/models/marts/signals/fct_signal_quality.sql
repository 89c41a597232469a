with

signals as (

    select distinct on (signal)
        signal,
        version,
        severity

    from {{ ref('risk_rules') }}

    where valid_from <= {{ as_of() }}

    order by signal asc, version desc

),

judged as (

    select * from {{ ref('int_risk_signals_judged') }}

),

raised as (

    select
        signal,
        count(*) as raised_count,
        count(*) filter (where is_mature) as mature_count,
        count(distinct customer_id) filter (where is_mature) as mature_customers,
        count(*) filter (where is_mature and is_followed_by_churn) as true_count

    from judged

    group by signal

),

base as (

    select * from {{ ref('int_risk_signals_base') }}

),

-- Warned is who had the signal on within the horizon before leaving.
warned as (

    select
        base.signal,
        churns.customer_id,
        churns.churned_date,
        churns.churned_date - min(judged.known_date) as lead_days

    from base
    inner join {{ ref('int_customer_stays') }} as churns
        on base.observed_from_date < churns.churned_date
    left join judged
        on
            base.signal = judged.signal
            and churns.customer_id = judged.customer_id
            and churns.churned_date > judged.known_date
            and coalesce(judged.closed_date, 'infinity'::date)
            >= churns.churned_date - {{ policy('signal_horizon_days', 'int') }}

    group by base.signal, churns.customer_id, churns.churned_date

),

recalled as (

    select
        signal,
        count(*) as churn_count,
        count(lead_days) as warned_count,
        percentile_cont(0.5) within group (order by lead_days) as median_lead_days

    from warned

    group by signal

),

rates as (

    select
        signals.signal,
        signals.version as rule_version,
        signals.severity,
        coalesce(raised.raised_count, 0) as raised_count,
        coalesce(raised.mature_count, 0) as mature_count,
        coalesce(raised.raised_count - raised.mature_count, 0) as immature_count,
        coalesce(raised.mature_customers, 0) as mature_customers,
        coalesce(raised.true_count, 0) as true_count,
        raised.true_count / nullif(raised.mature_count, 0)::numeric as precision_share,
        coalesce(recalled.churn_count, 0) as churn_count,
        coalesce(recalled.warned_count, 0) as warned_count,
        recalled.warned_count / nullif(recalled.churn_count, 0)::numeric
            as recall_share,
        recalled.median_lead_days,
        base.base_rate,
        base.observed_from_date

    from signals
    left join raised on signals.signal = raised.signal
    left join recalled on signals.signal = recalled.signal
    left join base on signals.signal = base.signal

)

select
    signal,
    rule_version,
    severity,
    raised_count,
    mature_count,
    immature_count,
    mature_customers,
    true_count,
    precision_share::numeric(9, 6) as precision_rate,
    {{ wilson('precision_share * mature_customers', 'mature_customers', '-') }}
        as precision_low_rate,
    {{ wilson('precision_share * mature_customers', 'mature_customers', '+') }}
        as precision_high_rate,
    churn_count,
    warned_count,
    recall_share::numeric(9, 6) as recall_rate,
    {{ wilson('recall_share * churn_count', 'churn_count', '-') }} as recall_low_rate,
    {{ wilson('recall_share * churn_count', 'churn_count', '+') }} as recall_high_rate,
    median_lead_days::numeric(9, 1) as median_lead_days,
    base_rate,
    (precision_share / nullif(base_rate, 0))::numeric(9, 4) as lift,
    case
        when mature_customers < {{ policy('signal_min_customers', 'int') }}
            then 'too few to say'
        when
            {{ wilson('precision_share * mature_customers', 'mature_customers', '-') }}
            > base_rate
            then 'signal'
        else 'noise'
    end as verdict,
    {{ policy('signal_horizon_days', 'int') }} as horizon_days,
    observed_from_date,
    {{ as_of() }} as as_of_date

from rates
