-- The contract names the columns.
select *  -- noqa: AM04
from {{ ref('int_score_drops') }}
