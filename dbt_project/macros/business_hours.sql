{#-
Business seconds from the start of the calendar to an instant, for a row of int_business_hours of
the instant's own local day. The difference of two is a duration in business hours: openings are
instants and not wall-clock times, so no change of clocks and no weekend can distort it.
-#}
{% macro business_seconds_at(instant, hours="business_hours") -%}
    (
        {{ hours }}.seconds_before + case
            when {{ instant }} > {{ hours }}.opens_at
                then extract(
                    epoch from least({{ instant }}, {{ hours }}.closes_at)
                    - {{ hours }}.opens_at
                )
            else 0
        end
    )
{%- endmacro %}
