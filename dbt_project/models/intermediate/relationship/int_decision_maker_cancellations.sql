-- Consecutive cancellations, valid from one meeting with an outcome to the next.
select
    customer_id,
    run_length,
    meeting_date as starts_date,
    coalesce(
        lead(meeting_date) over (
            partition by customer_id order by starts_at, meeting_id
        ),
        {{ as_of() }} + 1
    ) as ends_date

from {{ ref('int_decision_maker_meetings') }}

where is_terminal
