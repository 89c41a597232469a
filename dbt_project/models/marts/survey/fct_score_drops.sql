select
    source,
    response_id,
    earlier_response_id,
    customer_id,
    segment,
    contact_id,
    contact_role,
    compared_with,
    earlier_score,
    score,
    drop_points,
    earlier_class,
    answer_class,
    is_still_ok,
    earlier_date,
    answered_date,
    recovered_date

from {{ ref('int_score_drops') }}
