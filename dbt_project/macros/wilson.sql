{#- Return one bound of the Wilson interval of `hits` of `trials` for side '-' or '+';
    null without trials. `z` names the policy row with the confidence level. The
    interval stays within 0 and 1 and is valid for small samples: 1 of 5 at 90 % gives
    4.6 % to 56.5 %. -#}
{% macro wilson(hits, trials, side, z='interval_z') -%}
    case when {{ trials }} > 0 then greatest(0, least(1, (
        (
            ({{ hits }})::numeric / nullif({{ trials }}, 0)
            + {{ policy(z) }} ^ 2 / (2 * nullif({{ trials }}, 0))
            {{ side }} {{ policy(z) }} * sqrt(
                greatest(({{ hits }})::numeric * ({{ trials }} - ({{ hits }})), 0)
                / nullif({{ trials }}::numeric, 0) ^ 3
                + {{ policy(z) }} ^ 2 / (4 * nullif({{ trials }}::numeric, 0) ^ 2)
            )
        ) / (1 + {{ policy(z) }} ^ 2 / nullif({{ trials }}, 0))
    ))) end::numeric(9, 6)
{%- endmacro %}
