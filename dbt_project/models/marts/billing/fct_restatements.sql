{{
    config(
        materialized='incremental',
        incremental_strategy='from_first_day',
        on_schema_change='append_new_columns'
    )
}}

with

versions as (

    select
        *,
        (month + interval '1 month')::date - 1 as closing_date,
        (mrr_amount_before * fx_rate)::numeric(18, 4) - mrr_reporting_amount_before
            as fx_reporting_amount

    from {{ ref('int_mrr_month_versions') }}

    where is_restated and as_of_date = {{ as_of() }}

),

-- If several records changed one figure, the first of these causes wins and all records
-- are listed.
records as (

    select
        *,
        array_position(
            array['identity', 'deletion', 'backdated_change', 'late_record'], cause
        ) as place

    from {{ ref('int_restating_records') }}

),

explained as (

    select
        versions.customer_id,
        versions.currency,
        versions.month,
        (array_agg(records.cause order by records.place))[1] as cause,
        array_agg(distinct records.source_record_id order by records.source_record_id)
            as source_record_ids

    from versions
    inner join records
        on
            versions.customer_id = records.customer_id
            and versions.closing_date >= records.starts_date
            and versions.closing_date < records.ends_date

    group by versions.customer_id, versions.currency, versions.month

),

parts as (

    select
        versions.*,
        part.cause,
        part.source_record_ids,
        part.restated_amount,
        part.restated_reporting_amount

    from versions
    left join explained
        on
            versions.customer_id = explained.customer_id
            and versions.currency = explained.currency
            and versions.month = explained.month
    -- The remainder that no record and no rate explains: code, a policy or a seed.
    cross join lateral (
        values
        ('fx_rate', '{}'::text[], 0::numeric(18, 4), versions.fx_reporting_amount),
        (
            coalesce(explained.cause, 'definition'),
            coalesce(explained.source_record_ids, '{}'),
            versions.mrr_amount - versions.mrr_amount_before,
            versions.mrr_reporting_amount
            - versions.mrr_reporting_amount_before
            - versions.fx_reporting_amount
        )
    ) as part (cause, source_record_ids, restated_amount, restated_reporting_amount)

)

select
    month,
    customer_id,
    currency,
    cause,
    source_record_ids,
    {{ policy('reporting_currency', 'text') }} as reporting_currency,
    mrr_amount_before,
    restated_amount::numeric(18, 4) as restated_amount,
    mrr_amount,
    mrr_reporting_amount_before,
    restated_reporting_amount::numeric(18, 4) as restated_reporting_amount,
    mrr_reporting_amount,
    as_of_date,
    {{ known_at() }} as known_at

from parts

where restated_amount != 0 or restated_reporting_amount != 0
