with

customer_days as (

    select * from {{ ref('int_customer_days_to_score') }}

),

-- A future meeting and a past meeting without an outcome do not count as held.
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

-- Before the first recorded meeting of the company, no meeting is unknown, not zero.
reach as (

    select
        min(meeting_date) as first_date,
        max(meeting_date) as last_date

    from meetings

),

-- Days from one review to the next; the mapping names the source of reviews.
reviews as (

    select
        customer_id,
        review_date,
        lead(review_date) over (partition by customer_id order by review_date)
            as next_date

    from {{ ref('int_business_reviews') }}

    where is_held

    group by customer_id, review_date

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
        when
            least(
                customer_days.tenure_days, counted.as_of_date - reach.first_date + 1
            ) >= {{ policy('contact_window_days', 'int') }}
            then counted.decision_maker_meetings
    end as decision_maker_meetings,
    case
        when counted.as_of_date >= reach.first_date
            then coalesce(cancellation_runs.run_length, 0)
    end as decision_maker_cancellations,
    case
        when reviews.review_date is not null
            then
                least(
                    counted.as_of_date - reviews.review_date, customer_days.tenure_days
                )
        when
            counted.as_of_date - reach.first_date + 1
            >= {{ policy('contact_window_days', 'int') }}
            then
                least(counted.as_of_date - reach.first_date, customer_days.tenure_days)
    end as days_since_business_review,
    counted.as_of_date - counted.last_decision_maker_date
        as days_since_decision_maker_met,
    reviews.review_date as last_review_date,
    least(counted.as_of_date, reach.last_date) as meetings_observed_date

from counted
inner join customer_days
    on
        counted.customer_id = customer_days.customer_id
        and counted.as_of_date = customer_days.as_of_date
cross join reach
left join reviews
    on
        counted.customer_id = reviews.customer_id
        and counted.as_of_date >= reviews.review_date
        and counted.as_of_date < coalesce(reviews.next_date, 'infinity')
left join cancellation_runs
    on
        counted.customer_id = cancellation_runs.customer_id
        and counted.as_of_date >= cancellation_runs.starts_date
        and counted.as_of_date < cancellation_runs.ends_date

where reach.last_date is not null
