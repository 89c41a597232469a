{#- Combine several generic tests into one query with a row per failed test. -#}
{% macro every_test(tests) %}
    {%- for test in tests %}
        select {{ loop.index }} as test
        from ({{ context[test.macro](**test.kwargs) }}) as found
        having count(*) > 0
        {{ "union all" if not loop.last }}
    {%- endfor %}
{% endmacro %}
