{#-
Schemas are named by the folder alone: policy, staging, marts. Only where a past day is built
again do all of them stand apart, with a prefix of its own.
-#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ schema_named(custom_schema_name or target.schema) }}
{%- endmacro %}

{% macro schema_named(name) -%}
    {{ env_var("RETENTION_DBT_SCHEMA_PREFIX", "") }}{{ name | trim }}
{%- endmacro %}
