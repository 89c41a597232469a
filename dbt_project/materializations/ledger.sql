{#-
A table that is made anew, as by `table`, or carried on: what it holds of the records or customers
that are redone gives way to what they are now. Which of the two, `int_ledger_plan` says.

`meta.redo`: by `invoice`, by `customer`, or by `month`, where a month that ended since is new for
everyone. Where `meta.grain` makes each row one of its kind, only rows that differ are written.
-#}
{% materialization ledger, adapter="postgres" %}
    {%- set existing = load_cached_relation(this) -%}
    {%- set target = this.incorporate(type="table") -%}
    {%- set meta = model.config.meta -%}
    {%- set plan = ledger_increment(of_months=meta.redo == "month") -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {% if plan and existing is not none and existing.type == "table" %}
        {%- set columns = adapter.get_columns_in_relation(existing) | map(attribute="quoted") | join(", ") -%}
        {% call statement("main") -%}
            {{ ledger_rows_redone(existing, columns, sql, meta) }}
        {%- endcall %}
    {% else %}
        {% if ledger_plan() is none %}
            {% do run_query(forget_ledger_mark()) %}
        {% endif %}
        {% do make_table(existing, target, sql) %}
    {% endif %}
    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({"relations": [target]}) }}
{% endmaterialization %}


{% macro ledger_rows_redone(target, columns, sql, meta) -%}
    {%- if meta.redo == "invoice" -%}
        {%- set redone = "invoice_id = any(array(select key from "
            ~ staging_table("int_ledger_arrivals") ~ " where kind = 'invoice'))" -%}
    {%- else -%}
        {%- set redone = "customer_id = any(array(select customer_id from "
            ~ staging_table("int_ledger_customers") ~ "))" -%}
    {%- endif -%}
    {%- if meta.grain -%}
        create temporary table ledger_rows (like {{ target }}) on commit drop;
        insert into ledger_rows ({{ columns }}) select {{ columns }} from ({{ sql }}) as made;
        analyze ledger_rows;
        create temporary table ledger_rows_held on commit drop as
        select held.ctid as place, held::text as content from {{ target }} as held where {{ redone }};
        analyze ledger_rows_held;
        delete from {{ target }} where ctid = any(array(
            select held.place from ledger_rows_held as held
            where not exists (select from ledger_rows as made where made::text = held.content)
        ));
        insert into {{ target }} ({{ columns }})
        select {{ columns }} from ledger_rows as made
        where not exists (select from ledger_rows_held as held where held.content = made::text)
    {%- else -%}
        delete from {{ target }} where {{ redone }};
        insert into {{ target }} ({{ columns }}) select {{ columns }} from ({{ sql }}) as made
    {%- endif -%}
{%- endmacro %}
