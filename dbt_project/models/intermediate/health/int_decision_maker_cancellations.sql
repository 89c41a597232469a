with

-- A move to another date says nothing, so only what ended one way or the other counts.
meetings as (

    select * from {{ ref('int_meetings') }}

    where
        customer_id is not null
        and has_decision_maker
        and meeting_date <= {{ as_of() }}
        and outcome in ('completed', 'canceled', 'no_show')

),

-- Every meeting held begins a new group; within a group the cancellations count up.
grouped as (

    select
        customer_id,
        meeting_date,
        starts_at,
        meeting_id,
        outcome,
        count(*) filter (where outcome = 'completed') over (
            partition by customer_id order by starts_at, meeting_id
        ) as completed_so_far

    from meetings

),

runs as (

    select
        customer_id,
        meeting_date as starts_date,
        count(*) filter (where outcome != 'completed') over (
            partition by customer_id, completed_so_far order by starts_at, meeting_id
        ) as run_length,
        lead(meeting_date) over (
            partition by customer_id order by starts_at, meeting_id
        ) as next_date

    from grouped

)

select
    customer_id,
    run_length,
    starts_date,
    coalesce(next_date, {{ as_of() }} + 1) as ends_date

from runs
