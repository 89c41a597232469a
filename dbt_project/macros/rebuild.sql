{#-
Incremental builds of the MRR history. `int_rebuild_plan` decides once a build between a full
refresh and an increment, `int_customers_to_rebuild` lists the customers of an increment, and models
with `incremental_strategy='rebuild'` replace their rows. Why: docs/decisions/incremental.md.
-#}

{#- Source, stream and the field that names the payer; other records change identities only. -#}
{% macro billing_logs() -%}
    {{ return([
        ("stripe", "invoices", "customer"), ("stripe", "subscriptions", "customer"),
        ("files", "subscriptions", "account_id"), ("files", "invoices", "account_id"),
    ]) }}
{%- endmacro %}

{#- The plan of this very build as a row; none without one, or when it asks for a full refresh. -#}
{% macro increment_plan() -%}
    {%- set plan = existing_model("int_rebuild_plan") if execute else none -%}
    {%- if plan is none or model.resource_type == "unit_test" -%}{{ return(none) }}{%- endif -%}
    {%- set found = run_query(
        "select * from " ~ plan ~ " where is_increment and as_of = " ~ as_of() ~ " and known_at = "
        ~ known_at() ~ " and project = '" ~ project_fingerprint() ~ "'"
    ) -%}
    {{ return(found.rows[0] if found.rows else none) }}
{%- endmacro %}

{#- dbt's own, and a full refresh of the MRR history whenever its plan is not an increment. -#}
{% macro should_full_refresh() -%}
    {%- set wanted = config.get("full_refresh") -%}
    {%- set is_rebuilt = config.get("incremental_strategy") == "rebuild" -%}
    {{ return(
        (flags.FULL_REFRESH if wanted is none else wanted)
        or (is_rebuilt and increment_plan() is none)
    ) }}
{%- endmacro %}

{#-
Incremental strategy `rebuild`: rows that may be wrong give way to what the model selects. Unlike
`delete+insert` it also deletes the rows of a customer that has none any more.
-#}
{% macro get_incremental_rebuild_sql(arg_dict) -%}
    {%- set key = arg_dict["unique_key"] -%}
    delete from {{ arg_dict["target_relation"] }} where
    {{ is_new_invoice(key) if key == "invoice_id"
        else is_to_rebuild("customer_id", none if key is string else "month") }};

    {{ get_incremental_append_sql(arg_dict) }}
{%- endmacro %}

{#-
Condition: the row is of a customer to rebuild, or its date lies in a month that ended since the last
build. Of spans the date is their end: one without an end reaches into every month.
-#}
{% macro is_to_rebuild(customer, date=none, or_open=false) -%}
    {%- if model is not defined or model.resource_type != "unit_test" -%}
        {%- set listed = "select listed.customer_id from " ~ ref("int_customers_to_rebuild") ~ " as listed" -%}
    {%- endif -%}
    {%- set plan = increment_plan() -%}
    {%- if not plan -%}
        true
    {%- elif date and plan["first_new_month"] -%}
        (
            {{ customer }} in ({{ listed }})
            or {{ date }} >= date '{{ plan["first_new_month"] }}'
            {{ "or " ~ date ~ " is null" if or_open }}
        )
    {%- else -%}
        {#- An array, unlike a list, reaches the index of a table through views. -#}
        {{ customer }} = any(array({{ listed }}))
    {%- endif -%}
{%- endmacro %}

{#- Condition: the invoice has a version that the last build did not know. -#}
{% macro is_new_invoice(column) -%}
    {%- if model is not defined or model.resource_type != "unit_test" -%}
        {%- set ids = new_records("stripe", "invoices") -%}
    {%- endif -%}
    {{ column ~ " = any(array(" ~ ids ~ "))" if increment_plan() else "true" }}
{%- endmacro %}

{#- Ids of the records with versions that the last complete build did not know. -#}
{% macro new_records(source_name, stream) -%}
    select distinct arrived.record_id
    from {{ source(source_name, stream) }} as arrived
    where
        arrived.version_id > (
            select (plan.versions_before ->> '{{ source_name }}_{{ stream }}')::bigint
            from {{ ref("int_rebuild_plan") }} as plan
        )
        and arrived.loaded_at <= {{ known_at() }}
{%- endmacro %}

{#- The table of a model as the last build left it; none before there was one. -#}
{% macro existing_model(name) -%}
    {{ return(adapter.get_relation(
        database=target.database, schema=schema_named("staging"), identifier=name
    )) }}
{%- endmacro %}

{#- Changes with any model, macro, seed or policy. -#}
{% macro project_fingerprint() -%}
    {{ env_var("RETENTION_PROJECT_FINGERPRINT", "") if execute else "" }}
{%- endmacro %}

{#- A build that fails midway leaves no state behind, so the next one is a full refresh. -#}
{% macro forget_rebuild_state() -%}
    {%- set state = existing_model("int_rebuild_state") if execute else none -%}
    {{ "delete from " ~ state if state is not none else "select 1" }}
{%- endmacro %}

{#- Configuration of a model whose rows are replaced by customer, or by another key. -#}
{% macro rebuilt(key="customer_id", by_month=false) -%}
    {{ return({
        "materialized": "incremental", "incremental_strategy": "rebuild",
        "unique_key": [key, "month"] if by_month else key, "indexes": [{"columns": [key]}],
    }) }}
{%- endmacro %}
