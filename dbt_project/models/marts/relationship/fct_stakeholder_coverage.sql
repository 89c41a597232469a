select
    customer_id,
    segment,
    csm_id,
    arr_amount,
    reached_levels,
    missing_levels,
    level_coverage_rate,
    contacts,
    people,
    top_person_share,
    champions,
    key_people_left,
    new_buyers,
    days_since_decision_maker,
    is_single_threaded,
    has_champion,
    is_champion_active,
    has_new_buyer,
    is_budget_risk_noted,
    last_decision_maker_date,
    as_of_date

from {{ ref('int_stakeholder_coverage') }}
