{#-
Every version of every record known at `known_at`, in the order in which they were written:
history, where `newest_version` is the present.

A deletion says nothing about what a record was, so it is left out, unless it is all there
is. `valid_from` is the vendor's change time, or the load's where the vendor states none.
-#}
{% macro record_versions(source_name, stream) -%}
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
    where not deleted or is_all_deleted
{%- endmacro %}
