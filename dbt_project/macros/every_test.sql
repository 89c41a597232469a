{#- Several generic tests as one query: a row for each that fails. The build folds them so. -#}
{% macro every_test(tests) %}
    {%- for test in tests %}
        select {{ loop.index }} as test
        from ({{ context[test.macro](**test.kwargs) }}) as found
        having count(*) > 0
        {{ "union all" if not loop.last }}
    {%- endfor %}
{% endmacro %}
