{#-
One row per record: its newest version known at `known_at`.

Deleted records are left out, unless the past still speaks of them (`keep_deleted`): who left
has met us, and who was merged has a successor.

The order is the one in which versions were written: what the vendor says is newer, then
what arrived later.
-#}
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

{#-
Rows of a usage rollup, each day as the newest load known at `known_at` left it.

A re-opened day is written again whole, so a day's older loads are superseded even when the
newest one holds no row for it. The rollup writes an empty key where the event named nobody; here
that is null.
-#}
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
