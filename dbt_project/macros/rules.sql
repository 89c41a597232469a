{#- Evaluate metric rules: one row per measurement and rule that reads its metric on its
    day, with the value and whether it meets the rule. A value that is missing or older
    than the rule allows gives null: the rule is neither met nor not met. `rules` and
    `metrics` are CTEs of the calling model. -#}
{% macro evaluated_rules(rules="rules", metrics="metrics") -%}
    select
        metrics.customer_id,
        metrics.as_of_date,
        rules.alert_rule,
        rules.version as rule_version,
        rules.rule_fingerprint,
        rules.days_running,
        metrics.observed_date,
        measured.value,
        case rules.comparison
            when 'at_least' then measured.value >= rules.threshold
            when 'at_most' then measured.value <= rules.threshold
            when 'below' then measured.value < rules.threshold
        end as is_met

    from {{ metrics }} as metrics
    inner join {{ rules }} as rules
        on
            metrics.metric = rules.metric
            and metrics.as_of_date >= rules.valid_from
            and metrics.as_of_date < rules.valid_to
    cross join
        lateral (
            select
                case
                    when metrics.as_of_date - metrics.observed_date <= rules.max_age_days
                        then metrics.value
                end::numeric(18, 4) as value
        ) as measured
{%- endmacro %}
