with

customer_days as (

    select * from {{ ref('int_customer_days_to_score') }}

),

-- A meeting that lies ahead, or whose outcome nobody has entered, has not been held.
meetings as (

    select * from {{ ref('int_meetings') }}

    where
        customer_id is not null
        and meeting_date <= {{ as_of() }}
        and outcome in ('completed', 'canceled', 'no_show')

),

cancellation_runs as (

    select * from {{ ref('int_decision_maker_cancellations') }}

),

reach as (

    select max(meeting_date) as last_date from meetings

),

counted as (

    select
        customer_days.customer_id,
        customer_days.as_of_date,
        count(*) filter (
            where
            meetings.outcome = 'completed'
            and meetings.has_decision_maker
            and meetings.meeting_date
            > customer_days.as_of_date - {{ policy('contact_window_days', 'int') }}
        ) as decision_maker_meetings,
        max(meetings.meeting_date) filter (
            where
            meetings.outcome = 'completed'
            and meetings.meeting_kind = 'business_review'
        ) as last_review_date,
        max(meetings.meeting_date) filter (
            where meetings.outcome = 'completed' and meetings.has_decision_maker
        ) as last_decision_maker_date

    from customer_days
    left join meetings
        on
            customer_days.customer_id = meetings.customer_id
            and customer_days.as_of_date >= meetings.meeting_date

    group by customer_days.customer_id, customer_days.as_of_date

)

select
    counted.customer_id,
    counted.as_of_date,
    case
        when customer_days.tenure_days >= {{ policy('contact_window_days', 'int') }}
            then counted.decision_maker_meetings
    end as decision_maker_meetings,
    coalesce(cancellation_runs.run_length, 0) as decision_maker_cancellations,
    least(
        counted.as_of_date - counted.last_review_date, customer_days.tenure_days
    ) as days_since_business_review,
    counted.as_of_date - counted.last_decision_maker_date
        as days_since_decision_maker_met,
    counted.last_review_date,
    least(counted.as_of_date, reach.last_date) as meetings_observed_date

from counted
inner join customer_days
    on
        counted.customer_id = customer_days.customer_id
        and counted.as_of_date = customer_days.as_of_date
cross join reach
left join cancellation_runs
    on
        counted.customer_id = cancellation_runs.customer_id
        and counted.as_of_date >= cancellation_runs.starts_date
        and counted.as_of_date < cancellation_runs.ends_date

where reach.last_date is not null
