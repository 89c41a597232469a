{#- Select the newest version of each figure shown before this build; no rows at first. -#}
{% macro mrr_months_shown() -%}
    {%- if is_incremental() -%}
    select distinct on (customer_id, currency, month)
        customer_id,
        currency,
        month,
        mrr_amount,
        mrr_reporting_amount,
        fx_rate

    from {{ this }}

    where as_of_date < {{ first_day_to_score() }}

    order by customer_id asc, currency asc, month asc, as_of_date desc
    {%- else -%}
    select
        null::text as customer_id,
        null::text as currency,
        null::date as month,
        null::numeric(18, 4) as mrr_amount,
        null::numeric(18, 4) as mrr_reporting_amount,
        null::numeric(18, 8) as fx_rate

    where false
    {%- endif -%}
{%- endmacro %}

{#- Select all known versions of the records that changed since the last publish, with
    the kind of change: late, changed or deleted. -#}
{% macro versions_since_last_shown(relation, name) -%}
    select
        '{{ name }}/' || versions.record_id as source_record_id,
        versions.record_id,
        versions.doc,
        case
            when first_value(versions.deleted) over newest_first then 'deletion'
            when min(versions.loaded_at) over record_versions > last_shown.known_at
                then 'late_record'
            else 'backdated_change'
        end as cause
    from {{ relation }} as versions
    cross join last_shown
    where
        versions.loaded_at <= {{ known_at() }}
        and versions.record_id in (
            select arrived.record_id
            from {{ relation }} as arrived
            where
                arrived.loaded_at > last_shown.known_at
                and arrived.loaded_at <= {{ known_at() }}
        )
    window
        record_versions as (partition by versions.record_id),
        newest_first as (
            partition by versions.record_id
            order by
                versions.source_updated_at desc nulls last,
                versions.loaded_at desc,
                versions.version_id desc
        )
{%- endmacro %}
