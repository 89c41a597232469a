{{ config(materialized='table') }}

-- Empty until int_mrr_terms is carried on, which writes here from when on it has changed.
select
    null::text as customer_id,
    null::date as since_date

from {{ ref('int_ledger_plan') }}

where false
