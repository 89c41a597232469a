{#-
A table that is made anew, as by `table`, or carried on: what it holds of the records or customers
that are redone gives way to what they are now. Which of the two, `int_ledger_plan` says.

`meta.redo`: by `invoice`, by `customer`, by `month`, where a month that ended since is new for
everyone, or by `day`, where each day since is. Only rows that differ are written.
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
            {{ ledger_rows_redone(existing, columns, sql, meta.redo) }}
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


{#-
Rows are counted by their text, for two of them may be the same; only what one side has more of is
deleted or inserted. `ledger_gone` and `ledger_come` are left to the hooks of the same transaction.
-#}
{% macro ledger_rows_redone(target, columns, sql, redo) -%}
    create temporary table ledger_made (like {{ target }}) on commit drop;
    insert into ledger_made ({{ columns }}) select {{ columns }} from ({{ sql }}) as made;
    create temporary table ledger_differing on commit drop as
    with counted as (
        select made::text as content, 1 as sign, made.ctid as made_at, null::tid as held_at
        from ledger_made as made
        union all
        select held::text as content, -1 as sign, null::tid as made_at, held.ctid as held_at
        from {{ target }} as held where {{ is_held_row_redone(redo) }}
    )
    select
        (array_agg(made_at) filter (where made_at is not null))[1:sum(sign)::int] as made_at,
        (array_agg(held_at) filter (where held_at is not null))[1:-sum(sign)::int] as held_at
    from counted group by content having sum(sign) != 0;
    create temporary table ledger_gone on commit drop as
    select held.* from {{ target }} as held
    where held.ctid = any(array(select unnest(differing.held_at) from ledger_differing as differing));
    create temporary table ledger_come on commit drop as
    select made.* from ledger_made as made
    where made.ctid = any(array(select unnest(differing.made_at) from ledger_differing as differing));
    delete from {{ target }} where ctid = any(array(
        select unnest(differing.held_at) from ledger_differing as differing
    ));
    insert into {{ target }} ({{ columns }}) select {{ columns }} from ledger_come
{%- endmacro %}

{% macro is_held_row_redone(redo) -%}
    {%- set redone = staging_table("int_ledger_customers") -%}
    {%- set changes = staging_table("int_ledger_changes") -%}
    {%- set recent = "date '" ~ ledger_plan()["recent_month"] ~ "'" -%}
    {%- if redo == "invoice" -%}
        invoice_id = any(array(
            select arrivals.key from {{ staging_table("int_ledger_arrivals") }} as arrivals
            where arrivals.kind = 'invoice'
        ))
    {%- elif redo == "month" -%}
        {{ is_redone_from("customer_id", "month >= " ~ recent, redone, changes) }}
    {%- elif redo == "day" -%}
        {{ is_redone_from("customer_id", "as_of_date >= " ~ recent, redone, changes) }}
    {%- else -%}
        customer_id = any(array(select redone.customer_id from {{ redone }} as redone))
    {%- endif -%}
{%- endmacro %}
