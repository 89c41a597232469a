with

changes as (

    select * from {{ ref('int_alert_event_changes') }}

),

rules as (

    select * from {{ ref('int_alert_rules') }}

    where kind = 'event'

),

-- The first end written for an opening counts.
ends as (

    select distinct on (alert_event, event_id, customer_id, opened_date)
        alert_event,
        event_id,
        customer_id,
        status,
        opened_date,
        closed_date

    from changes

    where status != 'open'

    order by
        alert_event asc, event_id asc, customer_id asc, opened_date asc,
        as_of_date asc

),

-- An event without its own end stays open for the number of days set by the rule.
matched as (

    select
        changes.*,
        rules.alert_rule,
        rules.version as rule_version,
        rules.sentence,
        ends.status as end_status,
        ends.closed_date as end_date,
        changes.opened_date + rules.max_age_days as expiry_date

    from changes
    inner join rules
        on
            changes.alert_event = rules.metric
            and changes.opened_date >= rules.valid_from
            and changes.opened_date < rules.valid_to
    left join ends
        on
            changes.alert_event = ends.alert_event
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
    alert_rule || ':' || customer_id || ':' || event_id || ':' || opened_date
        as alert_id,
    customer_id,
    alert_rule,
    rule_version,
    value,
    coalesce({{ sentence('sentence', 'coalesce(value, 0)') }}, evidence) as evidence,
    -- An event that is not based on a single record is its own evidence.
    coalesce(nullif(evidence_ids, array[]::text[]), array[event_id]) as evidence_ids,
    case
        when
            expiry_date <= {{ as_of() }}
            and expiry_date < coalesce(end_date, 'infinity')
            then 'expired'
        when end_status = 'left' then 'churned'
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
