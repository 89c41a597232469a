with

rules as (

    select * from {{ ref('risk_rules') }}

),

-- What decides when a signal opens; a change of it is looked up in all of the history.
fingerprints as (

    select
        signal,
        md5(
            string_agg(
                concat_ws(
                    '|', version, valid_from, kind, metric, comparison, threshold,
                    days_running, max_age_days, evidence_kind
                ),
                ';' order by version
            )
        ) as rule_fingerprint

    from rules

    group by signal

)

select
    rules.signal,
    rules.version,
    rules.kind,
    rules.metric,
    rules.comparison,
    rules.threshold,
    rules.days_running,
    rules.max_age_days,
    rules.sentence,
    fingerprints.rule_fingerprint,
    rules.valid_from,
    lead(rules.valid_from, 1, 'infinity'::date) over (
        partition by rules.signal order by rules.valid_from
    ) as valid_to

from rules
inner join fingerprints on rules.signal = fingerprints.signal
