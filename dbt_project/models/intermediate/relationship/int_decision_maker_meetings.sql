{{ config(materialized='table') }}

with

roles as (

    select * from {{ ref('int_contact_roles') }}

    where role = 'decision_maker'

),

meetings as (

    select
        source,
        meeting_id,
        customer_id,
        meeting_kind,
        outcome,
        decision_maker_ids,
        -- Neither a move to another date nor a missing outcome ends a run.
        outcome in ('completed', 'canceled', 'no_show') as is_terminal,
        meeting_date,
        starts_at

    from {{ ref('int_meetings') }}

    where
        customer_id is not null
        and has_decision_maker
        and meeting_date <= {{ as_of() }}

),

chained as (

    select
        *,
        count(*) filter (where is_terminal) over earlier as endings_before

    from meetings

    window earlier as (
        partition by customer_id, meeting_kind
        order by starts_at, meeting_id
        rows between unbounded preceding and 1 preceding
    )

),

moved as (

    select
        *,
        count(*) filter (where outcome = 'rescheduled') over (
            partition by customer_id, meeting_kind, endings_before
            order by starts_at, meeting_id
        ) as moves

    from chained

),

ended as (

    select
        *,
        lag(decision_maker_ids) over (
            partition by customer_id order by starts_at, meeting_id
        ) as earlier_ids

    from moved

    where is_terminal

),

-- A decision maker invited to the previous meeting still has that role.
continued as (

    select distinct
        ended.source,
        ended.meeting_id

    from ended
    cross join
        lateral jsonb_array_elements_text(ended.earlier_ids)
            as earlier (contact_id)
    inner join roles
        on
            earlier.contact_id = roles.contact_id
            and ended.customer_id = roles.customer_id
            and ended.meeting_date >= roles.starts_date
            and ended.meeting_date < coalesce(roles.ends_date, date 'infinity')

),

-- A held meeting and a successor each start a new run.
grouped as (

    select
        ended.*,
        ended.earlier_ids is not null and continued.meeting_id is null as is_successor,
        count(*) filter (
            where
            ended.outcome = 'completed'
            or (ended.earlier_ids is not null and continued.meeting_id is null)
        ) over (
            partition by ended.customer_id order by ended.starts_at, ended.meeting_id
        ) as run_number

    from ended
    left join continued
        on
            ended.source = continued.source
            and ended.meeting_id = continued.meeting_id

),

counted as (

    select
        source,
        meeting_id,
        run_number,
        is_successor,
        count(*) filter (where outcome != 'completed') over (
            partition by customer_id, run_number order by starts_at, meeting_id
        ) as run_length

    from grouped

)

select
    moved.source,
    moved.meeting_id,
    moved.customer_id,
    moved.meeting_kind,
    moved.outcome,
    moved.decision_maker_ids,
    moved.moves,
    counted.run_number,
    counted.run_length,
    moved.is_terminal,
    counted.is_successor,
    moved.meeting_date,
    moved.starts_at

from moved
left join counted
    on
        moved.source = counted.source
        and moved.meeting_id = counted.meeting_id
