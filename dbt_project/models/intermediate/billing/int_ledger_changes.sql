{{ config(materialized='table') }}

-- Empty until int_mrr_terms is carried on and writes here what of it has changed.
select
    null::text as customer_id,
    null::date as since_date

from {{ ref('int_ledger_plan') }}

where false
