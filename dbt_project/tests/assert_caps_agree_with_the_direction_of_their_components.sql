-- A cap in the wrong direction would lower the score of a customer that improves.
select
    caps.definition,
    caps.cap_rule,
    components.component

from {{ ref('health_score_caps') }} as caps
inner join {{ ref('alert_rules') }} as rules on caps.alert_rule = rules.alert_rule
inner join {{ ref('health_score_components') }} as components
    on
        caps.definition = components.definition
        and rules.metric = components.metric

where (rules.comparison = 'at_least') != (components.direction = 'lower_is_better')
