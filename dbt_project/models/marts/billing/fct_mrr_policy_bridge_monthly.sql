{{ config(materialized='view') }}

-- The contract names the columns.
select *  -- noqa: AM04
from {{ ref('int_mrr_policy_bridge_by_month') }}
