-- The contract names the columns.
select *  -- noqa: AM04
from {{ ref('int_customer_survey_by_month') }}
