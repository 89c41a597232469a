with

recoveries as (

    select * from {{ ref('int_detractor_recoveries_by_month') }}

),

items as (

    select * from {{ ref('int_feedback_items_by_month') }}

)

select
    coalesce(recoveries.month, items.month) as month,
    coalesce(recoveries.segment, items.segment) as segment,
    recoveries.detractors,
    recoveries.detractors_due,
    recoveries.detractors_in_time,
    recoveries.detractors_censored,
    recoveries.in_time_rate,
    recoveries.detractors_in_time_linked,
    recoveries.in_time_linked_rate,
    recoveries.detractors_without_action,
    recoveries.detractors_to_escalate,
    recoveries.detractors_with_plan,
    recoveries.plan_rate,
    recoveries.median_action_hours,
    recoveries.p90_action_hours,
    recoveries.outcome_recovered,
    recoveries.outcome_still_detractor,
    recoveries.outcome_churned,
    recoveries.outcome_not_known,
    items.raised_items,
    items.raising_customers,
    items.prioritized_items,
    items.tracked_items,
    items.implemented_next_month_items,
    items.implemented_by_next_month_end_items,
    items.implemented_next_month_rate,
    items.implemented_by_next_month_end_rate,
    items.implemented_items,
    items.informed_items,
    items.informed_rate,
    items.open_items,
    items.old_items,
    items.median_days_to_implement,
    items.median_days_to_inform

from recoveries
full join items
    on
        recoveries.month = items.month
        and recoveries.segment = items.segment
