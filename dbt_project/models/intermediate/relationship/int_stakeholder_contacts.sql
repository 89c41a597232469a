with

customer_days as (

    select * from {{ ref('int_stakeholder_days') }}

),

touches as (

    select * from {{ ref('int_contact_touches') }}

),

levels as (

    select * from {{ ref('stakeholder_levels') }}

),

windowed as (

    select
        customer_days.as_of_date,
        customer_days.customer_id,
        customer_days.level_segment,
        touches.contact_id,
        touches.role,
        touches.touch_date,
        touches.touch_date
        > customer_days.as_of_date - {{ policy('contact_window_days', 'int') }}
            as is_recent

    from customer_days
    inner join touches
        on
            customer_days.customer_id = touches.customer_id
            and customer_days.as_of_date >= touches.touch_date

),

by_person as (

    select
        windowed.as_of_date,
        windowed.customer_id,
        windowed.contact_id,
        count(*) filter (where windowed.is_recent) as contacts,
        max(windowed.touch_date) filter (where windowed.role = 'decision_maker')
            as decided_date,
        max(windowed.touch_date) filter (where windowed.role = 'champion')
            as championed_date,
        max(levels.level) filter (where windowed.is_recent) as level

    from windowed
    left join levels
        on
            windowed.level_segment = levels.segment
            and windowed.role = levels.role

    group by windowed.as_of_date, windowed.customer_id, windowed.contact_id

)

select
    as_of_date,
    customer_id,
    sum(contacts)::bigint as contacts,
    count(*) filter (where contacts > 0) as people,
    (max(contacts) / nullif(sum(contacts), 0))::numeric(9, 6) as top_person_share,
    array_agg(distinct level) filter (where level is not null) as levels,
    max(decided_date) as last_decision_maker_date,
    max(championed_date) as last_champion_date

from by_person

group by as_of_date, customer_id
