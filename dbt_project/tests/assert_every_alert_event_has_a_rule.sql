-- An event without a rule never opens an alert; the name in the rule may be misspelt.
select distinct events.alert_event

from {{ ref('int_alert_events') }} as events

where events.alert_event not in (
    select rules.metric from {{ ref('alert_rules') }} as rules
    where rules.kind = 'event'
)
