{#- Return the first moment after a day, in UTC. From then on the day is complete. -#}
{% macro midnight_after(day) -%}
    ((({{ day }}) + 1)::timestamp at time zone 'utc')
{%- endmacro %}
