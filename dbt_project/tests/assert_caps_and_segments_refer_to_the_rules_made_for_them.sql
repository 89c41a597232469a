-- Caps and segments evaluate metric rules only. A rule made for them has no effect if
-- none refers to it.
with

referred as (

    select
        'caps' as used_for,
        alert_rule

    from {{ ref('health_score_caps') }}

    union

    select
        'segments' as used_for,
        alert_rule

    from {{ ref('behavioural_segments') }}

)

select
    rules.alert_rule,
    rules.kind,
    rules.used_for,
    referred.used_for as referred_by

from {{ ref('alert_rules') }} as rules
left join referred
    on
        rules.alert_rule = referred.alert_rule
        and rules.used_for in (referred.used_for, 'alerts')

where
    (referred.alert_rule is not null and rules.kind != 'metric')
    or (referred.alert_rule is null and rules.used_for in ('caps', 'segments'))
