{#- Name schemas by folder only: policy, staging, marts. The build of a past day adds a
    prefix of its own. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ schema_named(custom_schema_name or target.schema) }}
{%- endmacro %}

{% macro schema_named(name) -%}
    {{ env_var("RETENTION_DBT_SCHEMA_PREFIX", "") }}{{ name | trim }}
{%- endmacro %}
