-- A full refresh must keep what readers were shown, or every month is restated from 0.
{{
    config(
        materialized='incremental',
        incremental_strategy='from_first_day',
        full_refresh=false,
        on_schema_change='append_new_columns'
    )
}}

with

figures as (

    select
        customer_id,
        currency,
        month,
        closing_amount as mrr_amount,
        (closing_amount * closing_fx_rate)::numeric(18, 4) as mrr_reporting_amount,
        closing_fx_rate as fx_rate

    from {{ ref('int_mrr_by_month') }}

    where closing_amount != 0

),

-- The last published version; this build replaces builds that were never published.
shown as (

    {{ mrr_months_shown() }}

),

compared as (

    select
        coalesce(figures.customer_id, shown.customer_id) as customer_id,
        coalesce(figures.currency, shown.currency) as currency,
        coalesce(figures.month, shown.month) as month,
        case when shown.customer_id is null then 0 else shown.mrr_amount end
        ::numeric(18, 4) as mrr_amount_before,
        case when figures.customer_id is null then 0 else figures.mrr_amount end
        ::numeric(18, 4) as mrr_amount,
        case when shown.customer_id is null then 0 else shown.mrr_reporting_amount end
        ::numeric(18, 4) as mrr_reporting_amount_before,
        case
            when figures.customer_id is null then 0
            else figures.mrr_reporting_amount
        end::numeric(18, 4) as mrr_reporting_amount,
        coalesce(figures.fx_rate, shown.fx_rate) as fx_rate

    from figures
    full outer join shown
        on
            figures.customer_id = shown.customer_id
            and figures.currency = shown.currency
            and figures.month = shown.month

)

-- A month that had ended at the last publish is already published. Before the first
-- publish there is no published figure, and nothing is restated.
select
    *,
    (
        exists (select 1 from shown)
        and (month + interval '1 month')::date <= {{ first_day_to_score() }}
    ) as is_restated,
    {{ as_of() }} as as_of_date

from compared

where
    mrr_amount != mrr_amount_before
    or mrr_reporting_amount is distinct from mrr_reporting_amount_before
