{{ config(materialized='view') }}

-- The contract names the columns.
select *  -- noqa: AM04
from {{ ref('int_customer_health_history') }}
