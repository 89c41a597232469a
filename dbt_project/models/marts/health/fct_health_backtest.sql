{{ config(tags=['statistics']) }}

select
    score_name,
    score_version,
    segment,
    outcome,
    period,
    landmark_date,
    first_landmark_date,
    population_count,
    too_late_count,
    immature_count,
    unscored_count,
    evaluated_count,
    churned_count,
    churned_customers,
    churn_rate,
    auc,
    auc_low,
    auc_high,
    top_decile_lift,
    predicted_count,
    brier,
    brier_base_rate,
    calibration,
    stamp,
    lead_days,
    horizon_days,
    version as method_version,
    as_of as as_of_date

from {{ source('statistics', 'backtest') }}
