{#- Test that the combination of columns is unique. -#}
{% test unique_combination(model, columns) %}
    select {{ columns | join(", ") }}, count(*) as copies
    from {{ model }}
    group by {{ columns | join(", ") }}
    having count(*) > 1
{% endtest %}

{#- Test that the expression is true for every row. A null result fails, so write `is
    null or` where null is valid. -#}
{% test expression_is_true(model, expression, column_name=none) %}
    select * from {{ model }}
    where ({{ expression }}) is not true
{% endtest %}
