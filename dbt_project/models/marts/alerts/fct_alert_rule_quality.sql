with

rules as (

    select distinct on (alert_rule)
        alert_rule,
        version,
        severity

    from {{ ref('alert_rules') }}

    where valid_from <= {{ as_of() }} and used_for = 'alerts'

    order by alert_rule asc, version desc

),

counted as (

    select
        alert_rule,
        count(*) as alert_count,
        count(*) filter (where is_mature) as mature_count,
        count(distinct customer_id) filter (where is_mature) as mature_customers,
        count(*) filter (where is_mature and is_followed_by_churn) as true_count

    from {{ ref('int_alert_outcomes') }}

    group by alert_rule

),

recall as (

    select * from {{ ref('int_alert_rule_recall') }}

),

base as (

    select * from {{ ref('int_alert_base_rates') }}

),

rates as (

    select
        rules.alert_rule,
        rules.version as rule_version,
        rules.severity,
        coalesce(counted.alert_count, 0) as alert_count,
        coalesce(counted.mature_count, 0) as mature_count,
        coalesce(counted.alert_count - counted.mature_count, 0) as immature_count,
        coalesce(counted.mature_customers, 0) as mature_customers,
        coalesce(counted.true_count, 0) as true_count,
        counted.true_count / nullif(counted.mature_count, 0)::numeric
            as precision_share,
        coalesce(recall.churn_count, 0) as churn_count,
        coalesce(recall.warned_count, 0) as warned_count,
        recall.recall_share,
        recall.median_lead_days,
        base.base_rate,
        base.observed_from_date

    from rules
    left join counted on rules.alert_rule = counted.alert_rule
    left join recall on rules.alert_rule = recall.alert_rule
    left join base on rules.alert_rule = base.alert_rule

),

-- Alerts of one customer are not independent, so the interval counts customers.
bounded as (

    select
        *,
        {{ wilson('precision_share * mature_customers', 'mature_customers', '-') }}
            as precision_low_rate,
        {{ wilson('precision_share * mature_customers', 'mature_customers', '+') }}
            as precision_high_rate,
        {{ wilson('recall_share * churn_count', 'churn_count', '-') }}
            as recall_low_rate,
        {{ wilson('recall_share * churn_count', 'churn_count', '+') }}
            as recall_high_rate

    from rates

)

select
    alert_rule,
    rule_version,
    severity,
    alert_count,
    mature_count,
    immature_count,
    mature_customers,
    true_count,
    precision_share::numeric(9, 6) as precision_rate,
    precision_low_rate,
    precision_high_rate,
    churn_count,
    warned_count,
    recall_share::numeric(9, 6) as recall_rate,
    recall_low_rate,
    recall_high_rate,
    median_lead_days::numeric(9, 1) as median_lead_days,
    base_rate,
    (precision_share / nullif(base_rate, 0))::numeric(9, 4) as lift,
    case
        when mature_customers < {{ policy('alert_rule_min_customers', 'int') }}
            then 'insufficient data'
        when precision_low_rate > base_rate then 'proven'
        else 'unproven'
    end as verdict,
    {{ policy('alert_horizon_days', 'int') }} as horizon_days,
    observed_from_date,
    {{ as_of() }} as as_of_date

from bounded
