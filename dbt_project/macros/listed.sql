{#- Return the items of a semicolon-separated text as a lower-case jsonb array; null
    without items. -#}
{% macro listed(column) -%}
    to_jsonb(regexp_split_to_array(lower(nullif(trim({{ column }}), '')), '\s*;\s*'))
{%- endmacro %}
