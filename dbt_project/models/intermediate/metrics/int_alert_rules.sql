with

rules as (

    select * from {{ ref('alert_rules') }}

),

-- A change to any of these fields evaluates the rule over the whole history again.
fingerprints as (

    select
        alert_rule,
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

    group by alert_rule

)

select
    rules.alert_rule,
    rules.version,
    rules.kind,
    rules.used_for,
    rules.metric,
    rules.comparison,
    rules.threshold,
    rules.days_running,
    rules.max_age_days,
    rules.sentence,
    rules.worklist_value,
    fingerprints.rule_fingerprint,
    rules.valid_from,
    lead(rules.valid_from, 1, 'infinity'::date) over (
        partition by rules.alert_rule order by rules.valid_from
    ) as valid_to

from rules
inner join fingerprints on rules.alert_rule = fingerprints.alert_rule
