{#- The value of a row of the seed `policy`, cast: `policy('notice_days', 'int')`. A build writes it
    as a literal, so that the planner can estimate what a condition keeps. Unit tests, and dbt run
    without the environment of `retention`, read the table instead. -#}
{% macro policy(name, type="numeric") -%}
    {%- set values = fromjson(env_var("RETENTION_DBT_POLICIES", "{}")) if execute else {} -%}
    {%- set is_unit_test = model is defined and model.resource_type == "unit_test" -%}
    {#- dbt learns from `ref` that a model waits for the seed. -#}
    {%- set policies = ref("policy") -%}
    {%- if execute and not is_unit_test and values.get(name) -%}
        '{{ values[name] | replace("'", "''") }}'::{{ type }}
    {%- else -%}
    (
        select policy.value::{{ type }} from {{ policies }} as policy
        where policy.name = '{{ name }}'
    )
    {%- endif -%}
{%- endmacro %}

{#- Pseudonymise a personal value with a keyed hash, so that it cannot be guessed.
    Models after staging use it instead of the value. -#}
{% macro pseudonym(column) -%}
    ops.pseudonym(lower(trim({{ column }})))
{%- endmacro %}
