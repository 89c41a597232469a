{% materialization table, adapter="postgres" %}
    {%- set target = this.incorporate(type="table") -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% do make_table(load_cached_relation(this), target, sql) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({"relations": [target]}) }}
{% endmaterialization %}


{#-
The table of this model in place of what there was. Its statistics come with it: a new table has
none, and without them the planner joins its rows one by one.
-#}
{% macro make_table(existing, target, sql) -%}
    {%- set made = make_intermediate_relation(target) -%}
    {#- The old table stays until the new one is full: a model may read its own yesterday. -#}
    {% call statement("main") -%}
        {{ get_create_table_as_sql(False, made, sql) }}
    {%- endcall %}
    {% do create_indexes(made) %}
    {% call statement("replace") -%}
        {{ comments(made, model) }}
        {{ drop_if_there(existing) }}
        alter table {{ made }} rename to {{ adapter.quote(target.identifier) }};
        analyze {{ target }}
    {%- endcall %}
    {% do apply_grants(target, config.get("grants"), should_revoke=True) %}
{%- endmacro %}
