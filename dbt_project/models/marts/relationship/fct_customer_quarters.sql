with

cadence as (

    select * from {{ ref('int_customer_cadence_by_quarter') }}

),

reviews as (

    select * from {{ ref('int_reviews_by_quarter') }}

),

contacts as (

    select * from {{ ref('int_decision_maker_contact_by_quarter') }}

),

goals as (

    select * from {{ ref('int_goal_attainment_by_quarter') }}

),

-- A customer with goals has a row even when it paid nothing at the quarter's end.
customer_quarters as (

    select
        quarter,
        customer_id

    from cadence

    union

    select
        quarter,
        customer_id

    from goals

)

select
    customer_quarters.quarter,
    customer_quarters.customer_id,
    cadence.segment,
    cadence.csm_id,
    cadence.customer_id is not null as is_paying,
    cadence.arr_amount,
    cadence.cadence,
    cadence.nps_months,
    cadence.mean_nps_score,
    cadence.feedback_raised,
    cadence.feedback_implemented,
    cadence.is_monthly_nps_done,
    reviews.is_held as is_review_held,
    cadence.is_quarterly_review_done,
    reviews.next_quarter - reviews.last_documented_date as days_since_documented_review,
    reviews.last_documented_date as last_documented_review_date,
    contacts.decision_maker_contacts,
    contacts.decision_makers,
    contacts.evidence_ids as decision_maker_meeting_ids,
    contacts.is_structural_problem as is_without_decision_maker_contact,
    contacts.last_contact_date as last_decision_maker_contact_date,
    coalesce(goals.goals_judged, 0) as goals_judged,
    coalesce(goals.goals_attained, 0) as goals_attained,
    coalesce(goals.goals_missed, 0) as goals_missed,
    coalesce(goals.goals_overdue, 0) as goals_overdue,
    coalesce(goals.goals_dropped, 0) as goals_dropped,
    goals.goal_attainment_rate,
    goals.mean_goal_progress,
    coalesce(goals.goal_ids, array[]::text[]) as goal_ids,
    cadence.is_churned_a_quarter_later

from customer_quarters
left join cadence
    on
        customer_quarters.quarter = cadence.quarter
        and customer_quarters.customer_id = cadence.customer_id
left join reviews
    on
        customer_quarters.quarter = reviews.quarter
        and customer_quarters.customer_id = reviews.customer_id
left join contacts
    on
        customer_quarters.quarter = contacts.quarter
        and customer_quarters.customer_id = contacts.customer_id
left join goals
    on
        customer_quarters.quarter = goals.quarter
        and customer_quarters.customer_id = goals.customer_id
