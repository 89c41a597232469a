{#- The first moment after a day, in UTC: from then on all of the day is known. -#}
{% macro midnight_after(day) -%}
    ((({{ day }}) + 1)::timestamp at time zone 'utc')
{%- endmacro %}
