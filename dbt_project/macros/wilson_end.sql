{#-
An end of the Wilson interval of a share: `low` or `high`. It stays within 0 and 1 and does not
shrink to nothing when all or none of a few succeed; null of nobody.
-#}
{% macro wilson_end(successes, trials, end) -%}
    (
        (
            {{ successes }} + {{ policy('interval_z') }} ^ 2 / 2
            {{ '-' if end == 'low' else '+' }} {{ policy('interval_z') }} * sqrt(
                greatest(
                    {{ successes }}::numeric * ({{ trials }} - {{ successes }})
                    / nullif({{ trials }}, 0) + {{ policy('interval_z') }} ^ 2 / 4,
                    0
                )
            )
        ) / nullif({{ trials }} + {{ policy('interval_z') }} ^ 2, 0)
    )::numeric(9, 6)
{%- endmacro %}
