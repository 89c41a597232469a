-- The worklist fires on the playbook's threshold, the action with the rule's.
with

newest as (

    select distinct on (signal) *

    from {{ ref('risk_rules') }}

    where valid_from <= {{ as_of() }}

    order by signal asc, version desc

)

select playbooks.trigger

from {{ ref('playbooks') }} as playbooks
inner join newest on playbooks.signal = newest.signal

where
    playbooks.metric != newest.metric
    or playbooks.fires != newest.comparison
    or playbooks.threshold != newest.threshold
