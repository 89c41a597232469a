{{ config(materialized='table') }}

with

rules as (

    select * from {{ ref('int_alert_rules') }}

    where {{ as_of() }} >= valid_from and {{ as_of() }} < valid_to

),

-- An alert known during a day is published the next morning; its hours count from
-- there.
alerts as (

    select
        alerts.alert_rule,
        alerts.customer_id,
        {{ midnight_after('alerts.known_date') }} as opened_at,
        {{ midnight_after('alerts.closed_date') }} as closed_at,
        null::timestamptz as answered_by_at,
        alerts.evidence,
        array_to_string(alerts.evidence_ids, '|') as evidence_list,
        alerts.value

    from {{ ref('playbooks') }} as playbooks
    inner join {{ ref('int_alerts') }} as alerts
        on playbooks.alert_rule = alerts.alert_rule

),

-- An alert for a critical response opens at the time of the response. It closes with
-- the first reaction, or when the response is too old to answer.
detractors as (

    select
        'unanswered_detractor' as alert_rule,
        customer_id,
        answered_at as opened_at,
        coalesce(
            first_action_at,
            nullif(
                least(
                    answered_at
                    + make_interval(days => {{ policy('detractor_open_days', 'int') }}),
                    {{ midnight_after(as_of()) }}
                ),
                {{ midnight_after(as_of()) }}
            )
        ) as closed_at,
        first_action_at as answered_by_at,
        'a critical survey answer had no reaction' as evidence,
        response_id as evidence_list,
        null::numeric(18, 4) as value

    from {{ ref('int_detractor_recoveries') }}

),

renewals as (

    select
        rules.alert_rule,
        renewals.customer_id,
        {{ midnight_after('renewals.notice_date - rules.threshold::int - 1') }}
            as opened_at,
        case
            when renewals.notice_date < {{ as_of() }}
                then {{ midnight_after('renewals.notice_date') }}
        end as closed_at,
        null::timestamptz as answered_by_at,
        'the notice date is ' || renewals.notice_date as evidence,
        'renewal@' || renewals.renewal_date as evidence_list,
        (renewals.notice_date - {{ as_of() }})::numeric(18, 4) as value

    from {{ ref('int_renewals') }} as renewals
    inner join rules on rules.alert_rule = 'renewal_due'

    where renewals.notice_date - rules.threshold::int <= {{ as_of() }}

)

{% for periods in ['alerts', 'detractors', ref('int_low_score_periods'), 'renewals'] %}
select
    alert_rule,
    customer_id,
    opened_at,
    closed_at,
    answered_by_at,
    evidence,
    evidence_list,
    value

from {{ periods }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
