-- Today's row of every group.
select
    group_id,
    paying_customers as group_customers,
    (arr_amount / 12)::numeric(18, 4) as group_mrr_amount,
    score as group_health_score,
    measured_share::numeric(4, 3) as group_measured_share

from {{ ref('fct_group_health_daily') }}

where as_of_date = {{ as_of() }}
