{#- Select one row per record: its newest version known at `known_at`. Deleted records
    are excluded unless `keep_deleted` is set, for past contacts and merged accounts.
    Versions are ordered by the vendor's change time, then by load time. -#}
{% macro newest_version(source_name, stream, keep_deleted=false) -%}
    select * from (
        select distinct on (record_id)
            record_id,
            doc,
            deleted,
            source_updated_at,
            loaded_at
        from {{ source(source_name, stream) }}
        where loaded_at <= {{ known_at() }}
        order by
            record_id,
            source_updated_at desc nulls last,
            loaded_at desc,
            version_id desc
    ) as newest
    {%- if not keep_deleted %}
    where not deleted
    {%- endif %}
{%- endmacro %}

{#- Select the rows of a usage rollup, each day from its newest load known at
    `known_at`. A load replaces a day as a whole, even if it has no row for a key. The
    empty keys of the rollup become null. -#}
{% macro newest_usage_days(source_name, stream) -%}
    select
        nullif(usage_rows.account_key, '') as account_key,
        nullif(usage_rows.user_key, '') as user_key,
        nullif(usage_rows.subscription_key, '') as subscription_key,
        usage_rows.feature,
        usage_rows.events as event_count,
        usage_rows.units::numeric(18, 4) as units,
        usage_rows.event_date,
        usage_rows.first_at,
        usage_rows.last_at
    from {{ source(source_name, "usage_daily") }} as usage_rows
    inner join (
        select distinct on (event_date)
            event_date,
            load_id
        from {{ source("ops", "usage_days") }}
        where
            source = '{{ source_name }}'
            and stream = '{{ stream }}'
            and loaded_at <= {{ known_at() }}
        order by event_date, loaded_at desc, load_id desc
    ) as newest
        on
            usage_rows.event_date = newest.event_date
            and usage_rows.load_id = newest.load_id
{%- endmacro %}

{#- Select the newest version of each ticket and its initial priority, on which the SLA
    depends: waiting tickets are often raised later. -#}
{% macro tickets_with_opening_priority(source_name, priority) -%}
    select
        newest.*,
        first_seen.opening_priority

    from ({{ newest_version(source_name, 'tickets') }}) as newest
    inner join (
        select distinct on (record_id)
            record_id,
            {{ priority }} as opening_priority

        from {{ source(source_name, 'tickets') }}

        where loaded_at <= {{ known_at() }}

        order by record_id, source_updated_at nulls last, loaded_at, version_id
    ) as first_seen on newest.record_id = first_seen.record_id
{%- endmacro %}
