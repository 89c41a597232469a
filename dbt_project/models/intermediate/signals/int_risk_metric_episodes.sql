with

changes as (

    select * from {{ ref('int_risk_metric_changes') }}

    where customer_id is not null

),

rules as (

    select * from {{ ref('risk_rules') }}

),

-- A row of the log is a change, so what follows an opening is its end.
followed as (

    select
        *,
        lead(as_of_date) over following as closed_date,
        lead(status) over following as next_status

    from changes

    window following as (partition by customer_id, signal order by as_of_date)

),

opened as (

    select
        followed.signal || ':' || followed.customer_id || ':' || followed.as_of_date
            as episode_id,
        followed.customer_id,
        followed.signal,
        followed.rule_version,
        followed.value,
        rules.evidence_kind,
        {{ sentence('rules.sentence', 'followed.value') }} as evidence,
        rules.metric || '@' || followed.observed_date as measured_id,
        case
            when followed.next_status = 'left' then 'customer_left'
            when followed.closed_date is not null then 'cleared'
        end as close_reason,
        followed.as_of_date as opened_date,
        followed.closed_date

    from followed
    inner join rules
        on
            followed.signal = rules.signal
            and followed.rule_version = rules.version

    where followed.status = 'open'

),

-- The newest records the value can rest on, ten at most: nobody opens more.
records as (

    select
        opened.episode_id,
        (
            array_agg(
                evidence.evidence_id
                order by evidence.starts_date desc, evidence.evidence_id asc
            )
        )[1:10] as evidence_ids

    from opened
    inner join {{ ref('int_risk_evidence') }} as evidence
        on
            opened.customer_id = evidence.customer_id
            and opened.evidence_kind = evidence.evidence_kind
            and opened.opened_date >= evidence.starts_date
            and opened.opened_date < evidence.ends_date

    group by opened.episode_id

)

select
    opened.episode_id,
    opened.customer_id,
    opened.signal,
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
left join records on opened.episode_id = records.episode_id
