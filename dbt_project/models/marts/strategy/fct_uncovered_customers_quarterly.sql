select
    quarter,
    customer_id,
    segment,
    csm_id,
    (mrr_reporting_amount * 12)::numeric(18, 4) as arr_amount,
    next_quarter - last_documented_date as days_since_documented_review,
    is_held,
    last_documented_date

from {{ ref('int_reviews_by_quarter') }}

where not is_covered
