{#- Condition: the score lies in a band in force on the day. Bands are half-open, and
    the highest one includes its upper bound. -#}
{% macro within_band(score, bands, day) -%}
    {{ score }} >= {{ bands }}.low
    and (
        {{ score }} < {{ bands }}.high
        or ({{ bands }}.is_top and {{ score }} = {{ bands }}.high)
    )
    and {{ day }} >= {{ bands }}.valid_from
    and {{ day }} < {{ bands }}.valid_to
{%- endmacro %}
