{#- Return red, yellow or green by the row of the seed `usage_thresholds` for the
    customer's age on the last day of the window; null without a value or without a row
    for the age. -#}
{% macro usage_level(level, value) -%}
    (
        select
            case
                when compared.{{ value }} is null then null
                when compared.{{ value }} < red_to then 'red'
                when is_inclusive and compared.{{ value }} = red_to then 'red'
                when compared.{{ value }} < yellow_to then 'yellow'
                when is_inclusive and compared.{{ value }} = yellow_to then 'yellow'
                else 'green'
            end
        from {{ ref('usage_thresholds') }}
        where
            metric = '{{ level }}'
            and compared.window_end_date
            >= compared.first_paid_date + make_interval(months => min_age_months)
            and compared.window_end_date
            < compared.first_paid_date + make_interval(months => max_age_months)
    )
{%- endmacro %}
