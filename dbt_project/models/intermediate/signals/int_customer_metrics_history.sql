{{
    config(
        materialized='incremental',
        incremental_strategy='from_first_day',
        on_schema_change='append_new_columns'
    )
}}

with

metrics as (

    select * from {{ ref('int_customer_metrics_daily') }}

)

-- The day's metrics are computed anew with every build; what was known on a day is kept
-- here.
select * from metrics  -- noqa: AM04
