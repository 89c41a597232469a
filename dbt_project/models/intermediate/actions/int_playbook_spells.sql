with

playbooks as (

    select * from {{ ref('playbooks') }}

),

-- What becomes known in the course of a day is on the list of the next morning, and the
-- hours count from there.
signals as (

    select
        playbooks.trigger,
        signals.customer_id,
        {{ midnight_after('signals.known_date') }} as opened_at,
        {{ midnight_after('signals.closed_date') }} as closed_at,
        null::timestamptz as answered_by_at,
        signals.evidence,
        array_to_string(signals.evidence_ids, '|') as evidence_list

    from playbooks
    inner join {{ ref('fct_risk_signals') }} as signals
        on playbooks.signal = signals.signal

),

-- A critical answer has a moment of its own. It is off when somebody reacted, and when
-- it is too old to be answered.
detractors as (

    select
        'unanswered_detractor' as trigger,
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
        response_id as evidence_list

    from {{ ref('int_detractor_recoveries') }}

),

renewals as (

    select
        playbooks.trigger,
        renewals.customer_id,
        {{ midnight_after('renewals.notice_date - playbooks.threshold::int - 1') }}
            as opened_at,
        case
            when renewals.notice_date < {{ as_of() }}
                then {{ midnight_after('renewals.notice_date') }}
        end as closed_at,
        null::timestamptz as answered_by_at,
        'the notice date is ' || renewals.notice_date as evidence,
        'renewal@' || renewals.renewal_date as evidence_list

    from {{ ref('int_renewals') }} as renewals
    inner join playbooks on playbooks.trigger = 'renewal_due'

    where renewals.notice_date - playbooks.threshold::int <= {{ as_of() }}

)

{% for spells in ['signals', 'detractors', ref('int_low_score_spells'), 'renewals'] %}
select
    trigger,
    customer_id,
    opened_at,
    closed_at,
    answered_by_at,
    evidence,
    evidence_list

from {{ spells }}
{% if not loop.last %}union all{% endif %}
{% endfor %}
