{{
    config(
        materialized='incremental',
        incremental_strategy='from_first_day',
        on_schema_change='append_new_columns'
    )
}}

-- Every day's metrics as they were known when the day was scored: what a change is
-- measured against, and what another definition is tried on.
select
    *,
    {{ known_at() }} as known_at

from {{ ref('int_customer_metrics_daily') }}
