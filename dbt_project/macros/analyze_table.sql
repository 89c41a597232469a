{#-
Statistics for the models that read this one in the same build: a new table has none, and
without them the planner joins thousands of rows one by one.
-#}
{% macro analyze_table() -%}
    {%- if config.get("materialized") != "view" -%}
        analyze {{ this }}
    {%- endif -%}
{%- endmacro %}
