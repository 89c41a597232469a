{#- The last complete day, inclusive. Stops the build when it was not given. -#}
{% macro as_of() -%}
    date '{{ required_var("as_of") }}'
{%- endmacro %}

{#- The knowledge cut: a raw version loaded later than this does not exist. -#}
{% macro known_at() -%}
    timestamptz '{{ required_var("known_at") }}'
{%- endmacro %}

{#- While dbt only parses there is no run, so there is nothing to ask for yet. -#}
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
