{#- Drop a relation. `if exists`, because dropping a table also drops the views that
    read it. -#}
{% macro drop_if_there(existing) -%}
    {%- if existing is not none -%}
        drop {{ existing.type }} if exists {{ existing }} cascade;
    {%- endif -%}
{%- endmacro %}


{#- Set all descriptions of a relation and its columns. A description of a missing
    column fails. -#}
{% macro comments(relation, model) -%}
    {%- if config.persist_relation_docs() and model.description -%}
        comment on {{ relation.type }} {{ relation }} is {{ postgres_escape_comment(model.description) }};
    {%- endif -%}
    {%- if config.persist_column_docs() -%}
        {%- for name, column in model.columns.items() if column.description %}
            comment on column {{ relation }}.{{ adapter.quote(name) if column.quote else name }}
            is {{ postgres_escape_comment(column.description) }};
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{#- Set descriptions of seeds and incremental models, which use dbt's own
    materializations. -#}
{% macro postgres__persist_docs(relation, model, for_relation, for_columns) -%}
    {%- set sql = comments(relation, model) -%}
    {%- if sql | trim -%}
        {% do run_query(sql) %}
    {%- endif -%}
{%- endmacro %}
