{{ config(tags=['statistics']) }}

with

outlook as (

    select * from {{ ref('int_churn_outlook') }}

),

-- Nobody can act on the age of a contract: a driver is a metric that a rule watches.
watched as (

    select distinct metric from {{ ref('int_alert_rules') }}

    where metric is not null

),

-- The metric that raises the probability of the customer most.
strongest as (

    select distinct on (predicted.customer_id)
        predicted.customer_id,
        watched.metric,
        (part.doc ->> 'value')::numeric as value

    from {{ source('statistics', 'churn_probability') }} as predicted
    cross join jsonb_array_elements(predicted.contributions) as part (doc)
    inner join watched on part.doc ->> 'metric' = watched.metric

    where
        predicted.landmark_date = {{ as_of() }}
        and (part.doc ->> 'contribution')::numeric > 0
        and jsonb_typeof(part.doc -> 'value') = 'number'

    order by
        predicted.customer_id asc,
        (part.doc ->> 'contribution')::numeric desc,
        watched.metric asc

),

sentences as (

    select distinct on (metric)
        metric,
        sentence

    from {{ ref('health_score_components') }}

    order by metric asc, valid_from desc, definition asc, segment asc

),

-- What a playbook does about a rule on the metric is what helps against the metric.
actions as (

    select distinct on (rules.metric)
        rules.metric,
        playbooks.action

    from {{ ref('playbooks') }} as playbooks
    inner join {{ ref('int_alert_rules') }} as rules
        on playbooks.alert_rule = rules.alert_rule

    where
        rules.metric is not null
        and {{ as_of() }} >= rules.valid_from
        and {{ as_of() }} < rules.valid_to

    order by rules.metric asc, playbooks.priority asc

),

-- Without a metric of its own the customer gets the talk about its score.
fallback as (

    select action from {{ ref('playbooks') }}
    where alert_rule = 'low_score'

)

select
    outlook.customer_id,
    strongest.metric as driver_metric,
    case outlook.probability_source
        when 'learned model'
            then coalesce(
                {{ sentence('sentences.sentence', 'strongest.value') }},
                replace(strongest.metric, '_', ' ') || ' is '
                || trim_scale(round(strongest.value, 2))
            )
        when 'health score' then outlook.main_reason
    end as reason,
    coalesce(actions.action, fallback.action) as action

from outlook
cross join fallback
left join strongest
    on
        outlook.customer_id = strongest.customer_id
        and outlook.probability_source = 'learned model'
left join sentences on strongest.metric = sentences.metric
left join actions on strongest.metric = actions.metric
