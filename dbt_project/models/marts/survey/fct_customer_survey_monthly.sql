select
    month,
    customer_id,
    survey,
    scale_max,
    segment,
    respondents,
    promoters,
    passives,
    detractors,
    nps,
    mean_score,
    mean_score_fall,
    mean_score_slope,
    is_score_falling,
    decision_maker_mean_score,
    user_mean_score,
    response_ids

from {{ ref('int_customer_survey_by_month') }}
