-- An event whose name no rule carries would never be a signal: the rule that was meant
-- for it may be misspelt.
select distinct events.risk_event

from {{ ref('int_risk_events') }} as events

where events.risk_event not in (
    select rules.metric from {{ ref('risk_rules') }} as rules
    where rules.kind = 'event'
)
