{{ config(tags=['statistics']) }}

select
    segment,
    age_months,
    customers_at_risk,
    customers_lost,
    survival_rate,
    survival_rate_low,
    survival_rate_high,
    voluntary_loss_rate,
    involuntary_loss_rate,
    unknown_loss_rate,
    version as model_version,
    as_of as as_of_date

from {{ source('statistics', 'survival') }}
