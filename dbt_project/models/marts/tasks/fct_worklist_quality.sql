{{ config(tags=['statistics']) }}

select
    ranking,
    list_size,
    month_ends,
    first_landmark_date,
    last_landmark_date,
    evaluated_count,
    churned_count,
    churned_customers,
    lost_mrr_amount,
    caught_count,
    caught_mrr_amount,
    caught_mrr_low_amount,
    caught_mrr_high_amount,
    foresight_rate,
    mrr_difference_amount,
    mrr_difference_low_amount,
    mrr_difference_high_amount,
    verdict,
    version as method_version,
    as_of as as_of_date

from {{ source('statistics', 'worklist_quality') }}
