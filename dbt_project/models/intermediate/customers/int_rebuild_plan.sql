{{ config(materialized='table', post_hook='{{ forget_rebuild_state() }}') }}

{%- set state = existing_model("int_rebuild_state") if execute else none -%}
{%- set lines = existing_model("int_subscription_lines") if execute else none %}

with

before as (

    {% if state and lines and not should_full_refresh() -%}
    select * from {{ state }}

    where
        project = nullif('{{ project_fingerprint() }}', '')
        and as_of <= {{ as_of() }}
        and known_at <= {{ known_at() }}
    {%- else -%}
    select
        null::date as as_of,
        null::jsonb as versions,
        null::jsonb as version_counts

    where false
    {%- endif %}

),

-- Versions are numbered in the order in which they were committed: `version` is the
-- newest one up to which this build knows all.
logs as (

    {% for source_name, stream, _ in billing_logs() -%}
    {%- set log, name = source(source_name, stream), source_name ~ "_" ~ stream -%}
    select
        '{{ name }}' as log,
        start.version_before,
        counted.*

    from (
        select
            coalesce(max((before.versions ->> '{{ name }}')::bigint), 0)
                as version_before
        from before
    ) as start
    cross join
        lateral (
            select min(versions.version_id) as first_unknown
            from {{ log }} as versions
            where
                versions.version_id > start.version_before
                and versions.loaded_at > {{ known_at() }}
        ) as late
    cross join
        lateral (
            select
                coalesce(max(versions.version_id), start.version_before) as version,
                count(*) filter (where versions.version_id <= start.version_before)
                    as count_before,
                count(*) as version_count
            from {{ log }} as versions
            where coalesce(versions.version_id < late.first_unknown, true)
        ) as counted
    {{ "union all" if not loop.last }}
    {% endfor %}

),

summed as (

    select
        jsonb_object_agg(log, version_before) as versions_before,
        jsonb_object_agg(log, version) as versions,
        jsonb_object_agg(log, count_before) as counts_before,
        jsonb_object_agg(log, version_count) as version_counts,
        sum(version_count - count_before) * 5 <= sum(version_count) as is_little_new

    from logs

)

select
    {{ as_of() }} as as_of,
    {{ known_at() }} as known_at,
    '{{ project_fingerprint() }}' as project,
    -- Erased versions change the count.
    coalesce(
        before.version_counts = summed.counts_before and summed.is_little_new, false
    ) as is_increment,
    summed.versions_before,
    summed.versions,
    summed.version_counts,
    case
        when {{ last_month() }} > {{ last_month('before.as_of') }}
            then ({{ last_month('before.as_of') }} + interval '1 month')::date
    end as first_new_month

from summed
left join before on true
