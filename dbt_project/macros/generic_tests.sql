{#- The columns together name one row. -#}
{% test unique_combination(model, columns) %}
    select {{ columns | join(", ") }}, count(*) as copies
    from {{ model }}
    group by {{ columns | join(", ") }}
    having count(*) > 1
{% endtest %}

{#- The expression is true of every row; a null answer fails, so say `is null or` when meant. -#}
{% test expression_is_true(model, expression, column_name=none) %}
    select * from {{ model }}
    where ({{ expression }}) is not true
{% endtest %}
