{#- The value of one row of the policy seed, cast: `policy('notice_days', 'int')`. -#}
{% macro policy(name, type="numeric") -%}
    (
        select policy.value::{{ type }} from {{ ref("policy") }} as policy
        where policy.name = '{{ name }}'
    )
{%- endmacro %}

{#- What stands in for a personal value after staging: keyed, so it cannot be guessed. -#}
{% macro pseudonym(column) -%}
    ops.pseudonym(lower(trim({{ column }})))
{%- endmacro %}
