{#- Read one value of the seed `policy` and cast it: `policy('notice_days', 'int')`. -#}
{% macro policy(name, type="numeric") -%}
    (
        select policy.value::{{ type }} from {{ ref("policy") }} as policy
        where policy.name = '{{ name }}'
    )
{%- endmacro %}

{#- Pseudonymise a personal value with a keyed hash, so that it cannot be guessed.
    Models after staging use it instead of the value. -#}
{% macro pseudonym(column) -%}
    ops.pseudonym(lower(trim({{ column }})))
{%- endmacro %}
