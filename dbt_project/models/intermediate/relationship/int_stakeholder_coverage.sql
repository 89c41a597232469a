{{ config(materialized='table') }}

with

customer_days as (

    select * from {{ ref('int_stakeholder_days') }}

),

contacts as (

    select * from {{ ref('int_stakeholder_contacts') }}

),

roles as (

    select * from {{ ref('int_stakeholder_roles') }}

),

required as (

    select
        segment,
        array_agg(distinct level) as levels

    from {{ ref('stakeholder_levels') }}

    where is_required

    group by segment

),

noted as (

    select
        customer_days.as_of_date,
        customer_days.customer_id,
        max(meetings.meeting_date) as budget_risk_date

    from customer_days
    inner join {{ ref('int_meetings') }} as meetings
        on
            customer_days.customer_id = meetings.customer_id
            and customer_days.as_of_date >= meetings.meeting_date
            and meetings.risk_tags @> '["budget_risk"]'

    group by customer_days.as_of_date, customer_days.customer_id

),

joined as (

    select
        customer_days.*,
        required.levels as required_levels,
        coalesce(contacts.levels, array[]::text[]) as levels,
        array(
            select missing.level
            from unnest(required.levels) as missing (level)
            where missing.level != all(coalesce(contacts.levels, array[]::text[]))
        ) as missing_levels,
        coalesce(contacts.contacts, 0) as contacts,
        coalesce(contacts.people, 0) as people,
        contacts.top_person_share,
        coalesce(roles.champions, 0) as champions,
        coalesce(roles.key_people_left, 0) as key_people_left,
        coalesce(roles.new_buyers, 0) as new_buyers,
        contacts.last_decision_maker_date,
        greatest(contacts.last_champion_date, roles.last_champion_use_date)
            as last_champion_date,
        noted.budget_risk_date

    from customer_days
    inner join required on customer_days.level_segment = required.segment
    left join contacts
        on
            customer_days.as_of_date = contacts.as_of_date
            and customer_days.customer_id = contacts.customer_id
    left join roles
        on
            customer_days.as_of_date = roles.as_of_date
            and customer_days.customer_id = roles.customer_id
    left join noted
        on
            customer_days.as_of_date = noted.as_of_date
            and customer_days.customer_id = noted.customer_id

)

select
    customer_id,
    segment,
    csm_id,
    arr_amount,
    levels as reached_levels,
    missing_levels,
    (
        1 - cardinality(missing_levels)::numeric / cardinality(required_levels)
    )::numeric(9, 6) as level_coverage_rate,
    contacts,
    people,
    top_person_share,
    champions,
    key_people_left,
    new_buyers,
    as_of_date - last_decision_maker_date as days_since_decision_maker,
    -- With one or two contacts, one person always has the majority.
    case
        when contacts >= {{ policy('single_thread_min_contacts', 'int') }}
            then top_person_share >= {{ policy('single_thread_share') }}
    end as is_single_threaded,
    champions > 0 as has_champion,
    champions > 0 and coalesce(
        as_of_date - last_champion_date < {{ policy('champion_active_days', 'int') }},
        false
    ) as is_champion_active,
    new_buyers > 0 as has_new_buyer,
    coalesce(
        as_of_date - budget_risk_date < {{ policy('risk_note_days', 'int') }}, false
    ) as is_budget_risk_noted,
    last_decision_maker_date,
    as_of_date

from joined
