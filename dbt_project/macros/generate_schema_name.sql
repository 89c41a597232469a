{#- Schemas are named by the folder alone: policy, staging, marts; nothing is prefixed. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ custom_schema_name or target.schema }}
{%- endmacro %}
