{#- Return the last complete day, inclusive. Raise an error if it was not given. -#}
{% macro as_of() -%}
    date '{{ required_var("as_of") }}'
{%- endmacro %}

{#- Return known_at. Raw versions loaded later are ignored. -#}
{% macro known_at() -%}
    timestamptz '{{ required_var("known_at") }}'
{%- endmacro %}

{#- dbt parse runs without these variables, so they are required at run time only. -#}
{% macro required_var(name) -%}
    {%- set value = var(name, none) -%}
    {%- if value is none and execute -%}
        {{ exceptions.raise_compiler_error(
            "the variable '" ~ name ~ "' is missing. Run the build with --vars "
            ~ "'{as_of: YYYY-MM-DD, known_at: YYYY-MM-DDTHH:MM:SSZ}'; no model reads the clock."
        ) }}
    {%- endif -%}
    {{ value or "1970-01-01" }}
{%- endmacro %}

{#- The first day of the newest month that had ended on that day. -#}
{% macro last_month(day=none) -%}
    (date_trunc('month', {{ day or as_of() }} + 1) - interval '1 month')::date
{%- endmacro %}

{#- Statistics after each build: without them the planner joins new rows one by one. -#}
{% macro analyze_table() -%}
    {{ "analyze " ~ this if model.config.materialized in ["table", "incremental", "seed"] }}
{%- endmacro %}
