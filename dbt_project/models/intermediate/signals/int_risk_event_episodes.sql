with

changes as (

    select * from {{ ref('int_risk_event_changes') }}

),

rules as (

    select * from {{ ref('int_risk_rules') }}

    where kind = 'event'

),

-- The end of an event is the first one written for the same opening.
ends as (

    select distinct on (risk_event, event_id, customer_id, opened_date)
        risk_event,
        event_id,
        customer_id,
        status,
        opened_date,
        closed_date

    from changes

    where status != 'open'

    order by
        risk_event asc, event_id asc, customer_id asc, opened_date asc,
        as_of_date asc

),

-- An event that has no end of its own is news for as many days as the rule says.
matched as (

    select
        changes.*,
        rules.signal,
        rules.version as rule_version,
        rules.sentence,
        ends.status as end_status,
        ends.closed_date as end_date,
        changes.opened_date + rules.max_age_days as expiry_date

    from changes
    inner join rules
        on
            changes.risk_event = rules.metric
            and changes.opened_date >= rules.valid_from
            and changes.opened_date < rules.valid_to
    left join ends
        on
            changes.risk_event = ends.risk_event
            and changes.event_id = ends.event_id
            and changes.customer_id = ends.customer_id
            and changes.opened_date = ends.opened_date

    where
        changes.status = 'open'
        and case rules.comparison
            when 'at_least' then changes.value >= rules.threshold
            when 'at_most' then changes.value <= rules.threshold
            else true
        end

)

select
    signal || ':' || customer_id || ':' || event_id || ':' || opened_date as episode_id,
    customer_id,
    signal,
    rule_version,
    value,
    coalesce({{ sentence('sentence', 'coalesce(value, 0)') }}, evidence) as evidence,
    -- An event that rests on no single record is its own evidence.
    coalesce(nullif(evidence_ids, array[]::text[]), array[event_id]) as evidence_ids,
    case
        when
            expiry_date <= {{ as_of() }}
            and expiry_date < coalesce(end_date, 'infinity')
            then 'expired'
        when end_status = 'left' then 'customer_left'
        when end_status = 'withdrawn' then 'withdrawn'
        when end_date is not null then 'cleared'
    end as close_reason,
    opened_date,
    as_of_date as known_date,
    case
        when expiry_date <= {{ as_of() }} then least(expiry_date, end_date)
        else end_date
    end as closed_date

from matched
