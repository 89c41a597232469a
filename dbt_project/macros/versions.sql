{#-
Every version of every record known at `known_at`, with the day from which it holds.

`version_rank` counts in the order in which versions follow each other: what the vendor says is
newer, then what arrived later. Where a vendor has no change time, a version holds from its load on.
-#}
{% macro all_versions(source_name, stream) -%}
    select
        record_id,
        doc,
        deleted,
        coalesce(source_updated_at, loaded_at) as version_at,
        row_number() over (
            partition by record_id
            order by source_updated_at asc nulls first, loaded_at, version_id
        ) as version_rank
    from {{ source(source_name, stream) }}
    where loaded_at <= {{ known_at() }}
{%- endmacro %}

{#- The words of a text that lists them with semicolons, as a jsonb array, lower case; null without any. -#}
{% macro listed(column) -%}
    to_jsonb(regexp_split_to_array(lower(nullif(trim({{ column }}), '')), '\s*;\s*'))
{%- endmacro %}
