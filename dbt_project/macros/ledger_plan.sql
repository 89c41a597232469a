{#- The logs of versions that the ledger is carried on by; all else reaches it through identities. -#}
{% macro ledger_logs() -%}
    {{ return([
        ("stripe", "invoices"), ("stripe", "subscriptions"),
        ("files", "subscriptions"), ("files", "invoices"),
    ]) }}
{%- endmacro %}

{#-
A row per log: the newest version up to which the last build knew everything, the one up to which
this build does, and whether those of the last build are all still there. Versions are numbered in
the order in which they were committed.
-#}
{% macro ledger_log_states(before) -%}
    {%- for source_name, stream in ledger_logs() %}
    {%- set log = source(source_name, stream) -%}
    {%- set name = source_name ~ "_" ~ stream -%}
    {%- set start = before[name ~ "_version"] if before else 0 %}
    select
        '{{ name }}' as log,
        {{ start }}::bigint as version_before,
        coalesce(
            (
                select min(versions.version_id) - 1 from {{ log }} as versions
                where
                    versions.loaded_at > {{ known_at() }}
                    {#- What was known to a build that knew more may be unknown to this one. #}
                    and versions.version_id > case
                        when timestamptz '{{ before["known_at"] if before else "infinity" }}'
                            <= {{ known_at() }} then {{ start }} else 0
                    end
            ),
            (select max(versions.version_id) from {{ log }} as versions),
            0
        ) as version_now,
        (select count(*) from {{ log }} as versions where versions.version_id <= {{ start }})
        = {{ before[name ~ "_count"] if before else 0 }} as is_unharmed
    {{ "union all" if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{#- A pair of columns per log, which the mark keeps for the build after this one. -#}
{% macro ledger_log_counts() -%}
    {%- for source_name, stream in ledger_logs() %}
    {%- set name = source_name ~ "_" ~ stream %}
    (versions_now ->> '{{ name }}')::bigint as {{ name }}_version,
    (
        select count(*) from {{ source(source_name, stream) }} as versions
        where versions.version_id <= (versions_now ->> '{{ name }}')::bigint
    ) as {{ name }}_count,
    {%- endfor %}
{%- endmacro %}

{#-
Whether the ledger can go on from what it was: what was built for a later day or from more
knowledge, by other rules, or from versions that are gone since, is no beginning. Nor is it worth
one where much is new.
-#}
{% macro ledger_goes_on_from(before) -%}
    {%- if before and project_fingerprint() and before["project"] == project_fingerprint() -%}
    date '{{ before["as_of"] }}' <= {{ as_of() }}
    and timestamptz '{{ before["known_at"] }}' <= {{ known_at() }}
    and bool_and(is_unharmed)
    and sum(version_now - version_before) * 5 <= sum(version_now)
    {%- else -%}
    false
    {%- endif -%}
{%- endmacro %}

{#- All known versions of the records of which a version is new since the last build; none at first. -#}
{% macro versions_of_arrived(source_name, stream) -%}
    {%- set plan_table = ref("int_ledger_plan") -%}
    {%- set plan = ledger_increment() if execute else none -%}
    {%- set log = source(source_name, stream) -%}
    select
        versions.record_id,
        versions.doc

    from {{ log }} as versions

    where
    {%- if plan %}
        versions.loaded_at <= {{ known_at() }}
        and versions.record_id = any(array(
            select distinct arrived.record_id from {{ log }} as arrived
            where
                arrived.version_id > (
                    select (plan.versions_before ->> '{{ source_name }}_{{ stream }}')::bigint
                    from {{ plan_table }} as plan
                )
                and arrived.loaded_at <= {{ known_at() }}
        ))
    {%- else %}
        false
    {%- endif %}
{%- endmacro %}
