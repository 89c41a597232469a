{#-
Whether a score lies in a band that is in force on the day: from its low to below its high, and
the highest band with its high.
-#}
{% macro within_band(score, bands, day) -%}
    {{ score }} >= {{ bands }}.low
    and (
        {{ score }} < {{ bands }}.high
        or ({{ bands }}.is_top and {{ score }} = {{ bands }}.high)
    )
    and {{ day }} >= {{ bands }}.valid_from
    and {{ day }} < {{ bands }}.valid_to
{%- endmacro %}
