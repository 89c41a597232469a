{#-
The ledger is made anew or carried on. `int_ledger_plan` decides once a build; these macros say to
a model what it has to do then. A unit test has no plan and looks at all of its rows.
-#}

{#- The plan of this very build, as a row; none where nobody made one for its day and knowledge. -#}
{% macro ledger_plan() -%}
    {%- if not execute or model.resource_type == 'unit_test' -%}{{ return(none) }}{%- endif -%}
    {%- set plan = staging_table("int_ledger_plan") -%}
    {%- if plan is none -%}{{ return(none) }}{%- endif -%}
    {%- set found = run_query(
        "select * from " ~ plan ~ " where as_of = " ~ as_of() ~ " and known_at = " ~ known_at()
        ~ " and project = '" ~ project_fingerprint() ~ "'"
    ) -%}
    {{ return(found.rows[0] if found.rows else none) }}
{%- endmacro %}

{#- The plan where this model is to be carried on, none where it is to be made anew. -#}
{% macro ledger_increment(of_months=false) -%}
    {%- set plan = ledger_plan() -%}
    {%- if plan is none or not plan["is_increment"] -%}{{ return(none) }}{%- endif -%}
    {#- Months that begin earlier than they did move the first rate that there is. -#}
    {%- if of_months and run_query(
        "select coalesce(min(month), 'infinity') = '" ~ plan["first_month_before"] ~ "' as same from "
        ~ staging_table("int_months")
    ).rows[0]["same"] is false -%}{{ return(none) }}{%- endif -%}
    {{ return(plan) }}
{%- endmacro %}

{#- Condition: the invoice has a version that the build before did not know. -#}
{% macro is_arrived_invoice(column) -%}
    {%- if model is not defined or model.resource_type != 'unit_test' -%}
        {%- set arrivals = ref('int_ledger_arrivals') -%}
    {%- endif -%}
    {%- if execute and ledger_increment() -%}
        {{ column }} = any(array(
            select arrivals.key from {{ arrivals }} as arrivals where arrivals.kind = 'invoice'
        ))
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#-
Condition: the customer is one of the relation's. An array reaches the index of a table through the
views above it; without an index, or beside an `or`, where none helps, a list is hashed and an array
would be searched from end to end.
-#}
{% macro is_customer_of(relation, column, is_indexed) -%}
    {%- set listed = "select listed.customer_id from " ~ relation ~ " as listed" -%}
    {{ column }} {{ "= any(array(" ~ listed ~ "))" if is_indexed else "in (" ~ listed ~ ")" }}
{%- endmacro %}

{#- Condition: the customer's ledger is redone. -#}
{% macro is_redone_customer(column, is_indexed=true) -%}
    {%- if model is not defined or model.resource_type != 'unit_test' -%}
        {%- set redone = ref('int_ledger_customers') -%}
    {%- endif -%}
    {%- if execute and ledger_increment() -%}
        {{ is_customer_of(redone, column, is_indexed) }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#-
Condition: a customer of the first list and a date that may have changed. What is new of most of them
lies within the last two months, so all before stays as it is; those of the second list are redone
from the beginning.
-#}
{% macro is_redone_from(customer, date_condition, redone, changes, is_indexed=true) -%}
    {{ is_customer_of(redone, customer, is_indexed) }}
    and (
        {{ date_condition }}
        or {{ customer }} in (
            select changes.customer_id from {{ changes }} as changes
            where changes.since_date < date '{{ ledger_plan()["recent_month"] }}'
        )
    )
{%- endmacro %}

{#-
Condition: the date lies in a month, or is one, that may differ from what the ledger held or had not
ended when it was built last. Of terms the date is their end: what ended before such a month adds
nothing to it, and what has no end adds to all.
-#}
{% macro is_redone_month(customer, date, or_open=false) -%}
    {%- if model is not defined or model.resource_type != 'unit_test' -%}
        {%- set redone = ref('int_ledger_customers') -%}
        {%- set changes = ref('int_ledger_changes') -%}
    {%- endif -%}
    {%- set plan = ledger_increment(of_months=true) if execute else none -%}
    {%- if plan -%}
        {%- set open = date ~ " is null or " if or_open else "" -%}
        (
            {{ is_redone_from(
                customer,
                open ~ date ~ " >= date '" ~ plan["recent_month"] ~ "'",
                redone, changes, not plan["closes_a_month"]
            ) }}
        {%- if plan["closes_a_month"] %}
            or {{ open }}{{ date }} >= date '{{ plan["last_month_before"] }}' + interval '1 month'
        {%- endif %}
        )
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{#- The lines of Stripe to look at: of a carried-on ledger those of redone customers alone. -#}
{% macro stripe_terms_to_build() -%}
    {%- if model is not defined or model.resource_type != 'unit_test' -%}
        {%- set lines = ref('int_stripe_invoice_lines') -%}
        {%- set subscriptions = ref('stg_stripe__subscriptions') -%}
        {%- set currencies = ref('currencies') -%}
    {%- endif -%}
    {%- if execute and ledger_increment() -%}
    with

    billed as (

        select * from {{ lines }}

        where
            is_recurring
            and stripe_customer_id = any(array(
                select identities.source_key from {{ ref('int_customer_identities') }} as identities
                where
                    identities.source = 'stripe'
                    and {{ is_redone_customer('identities.customer_id') }}
            ))

    ),

    neighbours as (

        select * from {{ lines }}

        where
            is_recurring
            and subscription_item_id = any(array(select distinct billed.subscription_item_id from billed))

    ),

    {{ stripe_terms('billed', 'neighbours', subscriptions, currencies) }}
    {%- else -%}
    select * from {{ ref('int_stripe_terms') }}
    {%- endif -%}
{%- endmacro %}

{#- What the ledger's last complete build rested on; none where there is none to carry on. -#}
{% macro ledger_mark() -%}
    {%- set mark = staging_table("int_ledger_mark") -%}
    {%- if should_full_refresh() or mark is none or not ledger_tables_exist() -%}
        {{ return(none) }}
    {%- endif -%}
    {%- set found = run_query("select * from " ~ mark) -%}
    {{ return(found.rows[0] if found.rows else none) }}
{%- endmacro %}

{#- A ledger that did not get to its end is not carried on: the mark is gone until it has. -#}
{% macro forget_ledger_mark() -%}
    {%- set mark = staging_table("int_ledger_mark") if execute else none -%}
    {{ "delete from " ~ mark if mark is not none else "select 1" }}
{%- endmacro %}

{% macro ledger_tables_exist() -%}
    {%- for node in graph.nodes.values() if node.config.materialized == 'ledger' -%}
        {%- set table = adapter.get_relation(
            database=target.database, schema=node.schema, identifier=node.name
        ) -%}
        {%- if table is none or table.type != 'table' -%}{{ return(false) }}{%- endif -%}
    {%- endfor -%}
    {{ return(true) }}
{%- endmacro %}

{% macro staging_table(name) -%}
    {{ return(adapter.get_relation(
        database=target.database, schema=schema_named("staging"), identifier=name
    )) }}
{%- endmacro %}

{#- Changes with any model, macro, seed or policy. -#}
{% macro project_fingerprint() -%}
    {{ env_var("RETENTION_PROJECT_FINGERPRINT", "") if execute else "" }}
{%- endmacro %}

{#- The first day of the newest month that has ended. -#}
{% macro last_month() -%}
    (date_trunc('month', {{ as_of() }} + 1) - interval '1 month')::date
{%- endmacro %}

{#-
Of a carried-on ledger, the days that may differ of customers who are redone, and of all others only
the days since it was built last.
-#}
{% macro ranges_to_lay_out() -%}
    {%- if model is not defined or model.resource_type != 'unit_test' -%}
        {%- set redone = ref('int_ledger_customers') -%}
        {%- set changes = ref('int_ledger_changes') -%}
    {%- endif -%}
    {%- set plan = ledger_increment() if execute else none -%}
    select * from {{ ref('int_mrr_ranges') }}
    {%- if plan %}
    where
        customer_id = any(array(
            select changes.customer_id from {{ changes }} as changes
            where changes.since_date < date '{{ plan["recent_month"] }}'
        ))

    union all

    select
        customer_id,
        currency,
        mrr_amount,
        step_amount,
        greatest(
            starts_date,
            case
                when customer_id in (select redone.customer_id from {{ redone }} as redone)
                    then date '{{ plan["recent_month"] }}'
                else date '{{ plan["as_of_before"] }}' + 1
            end
        ) as starts_date,
        ends_date

    from {{ ref('int_mrr_ranges') }}

    where
        ends_date > date '{{ plan["recent_month"] }}'
        and customer_id not in (
            select changes.customer_id from {{ changes }} as changes
            where changes.since_date < date '{{ plan["recent_month"] }}'
        )
    {%- endif -%}
{%- endmacro %}

{#-
From when on a customer's ledger is another one: the first day at which what the terms add up to
differs. A bill that only cuts short the one before it changes nothing of the days before the cut.
-#}
{% macro tell_ledger_changes() -%}
    {%- if not execute or not ledger_increment() -%}{{ return("select 1") }}{%- endif -%}
    insert into {{ staging_table("int_ledger_changes") }} (customer_id, since_date)
    select customer_id, min(step_date)
    from (
        select differing.customer_id, step.step_date
        from (
            select terms.*, -1 as sign from ledger_gone as terms
            union all
            select terms.*, 1 as sign from ledger_come as terms
        ) as differing
        cross join lateral (
            values (starts_date, sign), (ends_date, -sign)
        ) as step (step_date, step_sign)
        where step.step_date is not null
        group by
            policy, position, differing.customer_id, currency, sold_unit, rated_date, step.step_date
        having sum(step_sign * mrr_amount) != 0 or sum(step_sign * coalesce(quantity, 1)) != 0
    ) as changes
    group by customer_id
{%- endmacro %}

{#- A model comes after another one that it writes to and does not read; a unit test knows of none. -#}
{% macro built_after(name) -%}
    {%- if model is not defined or model.resource_type != 'unit_test' -%}
-- depends_on: {{ ref(name) }}
    {%- endif -%}
{%- endmacro %}
