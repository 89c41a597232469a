{#- A HubSpot time: ISO text, or milliseconds since 1970 where an old property still sends them. -#}
{% macro moment(property) -%}
    case
        when doc #>> '{properties,{{ property }}}' ~ '^-?\d{6,}$'
            then to_timestamp((doc #>> '{properties,{{ property }}}')::bigint / 1000.0)
        else nullif(doc #>> '{properties,{{ property }}}', '')::timestamptz
    end
{%- endmacro %}
