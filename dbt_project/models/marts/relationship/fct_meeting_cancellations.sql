with

meetings as (

    select * from {{ ref('int_decision_maker_meetings') }}

)

select
    source,
    meeting_id,
    customer_id,
    meeting_kind,
    case
        when is_terminal or outcome = 'rescheduled' then outcome
        else 'unknown'
    end as outcome,
    array(select jsonb_array_elements_text(meetings.decision_maker_ids))
        as decision_maker_ids,
    row_number() over (
        partition by customer_id order by starts_at, meeting_id
    ) as meeting_number,
    moves,
    run_number,
    run_length,
    is_terminal,
    is_successor,
    run_length >= 2 as is_second_in_a_row,
    meeting_date,
    starts_at

from meetings
