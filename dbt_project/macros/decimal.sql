{#- Parse text as a decimal number; text that is no number, or too large, is null. -#}
{% macro decimal(text, precision, scale) -%}
    ops.try_decimal({{ text }}, {{ precision }}, {{ scale }})
    ::numeric({{ precision }}, {{ scale }})
{%- endmacro %}
