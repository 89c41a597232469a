with

changes as (

    select * from {{ ref('int_alert_metric_changes') }}

    where customer_id is not null

),

rules as (

    select * from {{ ref('alert_rules') }}

),

-- Each row is a change of status, so the row after an opening is its close.
followed as (

    select
        *,
        lead(as_of_date) over following as closed_date,
        lead(status) over following as next_status

    from changes

    window following as (partition by customer_id, alert_rule order by as_of_date)

),

opened as (

    select
        followed.alert_rule || ':' || followed.customer_id || ':' || followed.as_of_date
            as alert_id,
        followed.customer_id,
        followed.alert_rule,
        followed.rule_version,
        followed.value,
        rules.evidence_kind,
        {{ sentence('rules.sentence', 'followed.value') }} as evidence,
        rules.metric || '@' || followed.observed_date as measured_id,
        case
            when followed.next_status = 'left' then 'churned'
            when followed.closed_date is not null then 'cleared'
        end as close_reason,
        followed.as_of_date as opened_date,
        followed.closed_date

    from followed
    inner join rules
        on
            followed.alert_rule = rules.alert_rule
            and followed.rule_version = rules.version

    where followed.status = 'open'

),

-- The newest ten records are enough for a reader to check the value.
records as (

    select
        opened.alert_id,
        (
            array_agg(
                evidence.evidence_id
                order by evidence.starts_date desc, evidence.evidence_id asc
            )
        )[1:10] as evidence_ids

    from opened
    inner join {{ ref('int_alert_evidence') }} as evidence
        on
            opened.customer_id = evidence.customer_id
            and opened.evidence_kind = evidence.evidence_kind
            and opened.opened_date >= evidence.starts_date
            and opened.opened_date < evidence.ends_date

    group by opened.alert_id

)

select
    opened.alert_id,
    opened.customer_id,
    opened.alert_rule,
    opened.rule_version,
    opened.value,
    opened.evidence,
    array[opened.measured_id]
    || coalesce(records.evidence_ids, array[]::text[]) as evidence_ids,
    opened.close_reason,
    opened.opened_date,
    opened.opened_date as known_date,
    opened.closed_date

from opened
left join records on opened.alert_id = records.alert_id
