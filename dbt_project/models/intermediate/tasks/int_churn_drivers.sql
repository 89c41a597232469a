{{ config(tags=['statistics']) }}

with

outlook as (

    select * from {{ ref('int_churn_outlook') }}

),

rules as (

    select * from {{ ref('int_alert_rules') }}

    where
        {{ as_of() }} >= valid_from
        and {{ as_of() }} < valid_to
        and metric is not null
        and used_for = 'alerts'

),

-- What is wrong today by the threshold of a rule. Whether the rule is proven does not
-- matter here: the model says that the metric counts, the rule from where on it is bad.
met as (

    select
        measured.customer_id,
        rules.alert_rule,
        rules.metric,
        {{ sentence('rules.sentence', 'measured.value') }} as reason

    from {{ ref('int_alert_metric_days') }} as measured
    inner join rules on measured.alert_rule = rules.alert_rule

    where measured.as_of_date = {{ as_of() }} and measured.is_met

),

contributions as (

    select
        predicted.customer_id,
        part.doc ->> 'metric' as metric,
        (part.doc ->> 'contribution')::numeric as contribution

    from {{ source('statistics', 'churn_probability') }} as predicted
    cross join jsonb_array_elements(predicted.contributions) as part (doc)

    where
        predicted.landmark_date = {{ as_of() }}
        and (part.doc ->> 'contribution')::numeric > 0

),

-- Of two rules on one metric the one whose playbook comes first.
strongest as (

    select distinct on (met.customer_id)
        met.customer_id,
        met.metric,
        met.reason,
        playbooks.action

    from met
    inner join contributions
        on
            met.customer_id = contributions.customer_id
            and met.metric = contributions.metric
    left join {{ ref('playbooks') }} as playbooks
        on met.alert_rule = playbooks.alert_rule

    order by
        met.customer_id asc,
        contributions.contribution desc,
        playbooks.priority asc nulls last,
        met.alert_rule asc

),

-- Without a driver the customer gets the talk about its score.
fallback as (

    select action from {{ ref('playbooks') }}
    where alert_rule = 'low_score'

)

select
    outlook.customer_id,
    strongest.metric as driver_metric,
    case outlook.probability_source
        when 'learned model' then strongest.reason
        when 'health score' then outlook.main_reason
    end as reason,
    coalesce(strongest.action, fallback.action) as action

from outlook
cross join fallback
left join strongest
    on
        outlook.customer_id = strongest.customer_id
        and outlook.probability_source = 'learned model'
