{#- Select all versions of each record known at `known_at`, numbered in the order of
    writing; `newest_version` selects the last one. `valid_from` is the vendor's change
    time, else the load time. A deletion carries no fields, so it is excluded unless it
    is the only version (`keep_deleted` keeps all). -#}
{% macro record_versions(source_name, stream, keep_deleted=false) -%}
    select * from (
        select
            record_id,
            doc,
            deleted,
            coalesce(source_updated_at, loaded_at) as valid_from,
            row_number() over (
                partition by record_id
                order by source_updated_at nulls first, loaded_at, version_id
            ) as version_number,
            bool_and(deleted) over (partition by record_id) as is_all_deleted
        from {{ source(source_name, stream) }}
        where loaded_at <= {{ known_at() }}
    ) as known_versions
    {%- if not keep_deleted %}
    where not deleted or is_all_deleted
    {%- endif %}
{%- endmacro %}
