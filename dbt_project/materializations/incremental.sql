{#- dbt's own, and then the statistics that a table made by ours has as well. -#}
{% materialization incremental, adapter="postgres" %}
    {%- set relations = dbt.materialization_incremental_default() -%}
    {% call statement("analyze", auto_begin=True) -%}
        analyze {{ this }}
    {%- endcall %}
    {{ adapter.commit() }}

    {{ return(relations) }}
{% endmaterialization %}
