{#- Parse a HubSpot timestamp: ISO text, or milliseconds since 1970 as sent by old
    properties. Any other text is null; landing reports it. -#}
{% macro moment(property) -%}
    ops.try_moment(doc #>> '{properties,{{ property }}}')
{%- endmacro %}
