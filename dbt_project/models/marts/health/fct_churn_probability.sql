{{ config(tags=['statistics']) }}

select
    customer_id,
    segment,
    churn_probability_90d,
    logit,
    level as logit_level,
    contributions,
    fitted_until_date,
    fitted_losses,
    is_calibrated,
    version as model_version,
    landmark_date as as_of_date

from {{ source('statistics', 'churn_probability') }}
