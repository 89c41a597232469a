{#- Return the open seconds from the start of the calendar to a timestamp, for the row
    of int_business_hours of its local day. The difference of two results is a duration
    in business hours. Opening hours are timestamps, so daylight saving changes do not
    distort it. -#}
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
