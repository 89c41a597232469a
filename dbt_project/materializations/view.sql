{#-
Views and tables as dbt's own materializations of Postgres make them, in two or three statements
instead of a dozen: each statement is a round trip, and each macro around one costs more than it.
The new relation replaces the old one in one transaction, and nothing is left over when it fails.
-#}
{% materialization view, adapter="postgres" %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type="view") -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% call statement("main") -%}
        {{ drop_if_there(existing) }}
        {{ get_create_view_as_sql(target, sql) }};
        {{ comments(target, model) }}
    {%- endcall %}
    {% do apply_grants(target, config.get("grants"), should_revoke=True) %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({"relations": [target]}) }}
{% endmaterialization %}
