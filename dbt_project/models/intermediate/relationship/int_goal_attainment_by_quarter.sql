with

goals as (

    select
        *,
        -- An open goal counts on its due date.
        case
            when closed_date is not null then closed_date
            when due_date <= {{ as_of() }} then due_date
        end as judged_date

    from {{ ref('int_goals') }}

    where customer_id is not null

)

select
    date_trunc('quarter', judged_date)::date as quarter,
    customer_id,
    count(*) filter (where status != 'dropped') as goals_judged,
    count(*) filter (where status = 'attained') as goals_attained,
    count(*) filter (where status = 'missed') as goals_missed,
    count(*) filter (where status not in ('attained', 'missed', 'dropped'))
        as goals_overdue,
    count(*) filter (where status = 'dropped') as goals_dropped,
    (
        count(*) filter (where status = 'attained')::numeric
        / nullif(count(*) filter (where status != 'dropped'), 0)
    )::numeric(9, 6) as goal_attainment_rate,
    avg(progress) filter (where status != 'dropped')::numeric(9, 4)
        as mean_goal_progress,
    array_agg(goal_id order by goal_id) as goal_ids

from goals

where
    judged_date is not null
    and judged_date < date_trunc('quarter', {{ as_of() }} + 1)

group by 1, 2
