with

churns as (

    select * from {{ ref('int_churns') }}

),

warnings as (

    select * from {{ ref('int_churn_warnings') }}

),

costs as (

    select * from {{ ref('int_churn_costs') }}

)

select
    churns.customer_id,
    churns.churned_date,
    churns.segment,
    churns.industry,
    churns.plan,
    churns.region,
    churns.csm_id,
    churns.reporting_currency,
    churns.lost_mrr_amount,
    churns.tenure_days,
    churns.churn_type,
    churns.churn_reason,
    churns.reason_source,
    churns.is_deliberate_exit,
    churns.churn_reason is not null as has_reason,
    warnings.warning_signs,
    warnings.warning_ids,
    warnings.alerts_before,
    warnings.first_warning_date,
    warnings.actions_taken,
    warnings.actions_after_warning,
    costs.collected_revenue_amount,
    costs.foregone_margin_amount,
    costs.unrecovered_acquisition_amount,
    costs.total_cost_amount,
    costs.acquisition_cost_amount,
    costs.yearly_retention_cost_amount,
    costs.acquisition_to_retention_ratio,
    churns.won_back_date,
    churns.won_back_date - churns.churned_date as days_until_return

from churns
inner join warnings
    on
        churns.customer_id = warnings.customer_id
        and churns.churned_date = warnings.churned_date
inner join costs
    on
        churns.customer_id = costs.customer_id
        and churns.churned_date = costs.churned_date
