{#- Condition on `int_survey_responses`: a valid NPS answer of a known customer, given by
    the end of `as_of`. -#}
{% macro is_nps_answer() -%}
    (
        survey = 'nps'
        and is_valid
        and customer_id is not null
        and answered_date <= {{ as_of() }}
    )
{%- endmacro %}
