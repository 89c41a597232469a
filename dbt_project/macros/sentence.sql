{#- Fill in the evidence of a reason: {value} unchanged, {percent} as a whole
    percentage. -#}
{% macro sentence(template, value) -%}
    replace(
        replace({{ template }}, '{value}', trim_scale(round({{ value }}, 1))::text),
        '{percent}', round({{ value }} * 100)::text || ' %'
    )
{%- endmacro %}
