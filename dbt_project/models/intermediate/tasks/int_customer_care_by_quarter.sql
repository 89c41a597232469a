with

customer_quarters as (

    select * from {{ ref('int_managed_customer_quarters') }}

),

meetings as (

    select
        customer_quarters.quarter,
        customer_quarters.customer_id,
        count(distinct date_trunc('month', meetings.meeting_date)) as months_met

    from customer_quarters
    inner join {{ ref('int_meetings') }} as meetings
        on
            customer_quarters.customer_id = meetings.customer_id
            and meetings.outcome = 'completed'
            and customer_quarters.quarter <= meetings.meeting_date
            and customer_quarters.ends_date > meetings.meeting_date

    group by customer_quarters.quarter, customer_quarters.customer_id

),

detractors as (

    select
        customer_quarters.quarter,
        customer_quarters.customer_id,
        count(*) as detractors_due,
        count(*) filter (where recoveries.is_sla_met) as detractors_in_time

    from customer_quarters
    inner join {{ ref('int_detractor_recoveries') }} as recoveries
        on
            customer_quarters.customer_id = recoveries.customer_id
            and recoveries.is_sla_met is not null
            and customer_quarters.quarter <= recoveries.answered_at::date
            and customer_quarters.ends_date > recoveries.answered_at::date

    group by customer_quarters.quarter, customer_quarters.customer_id

),

-- A feedback item is due at the end of the month after it was raised.
wishes as (

    select
        customer_quarters.quarter,
        customer_quarters.customer_id,
        count(*) as feedback_due,
        count(*) filter (
            where items.implemented_date
            < date_trunc('month', items.raised_date) + interval '2 months'
        ) as feedback_in_time

    from customer_quarters
    inner join {{ ref('int_feedback_items') }} as items
        on
            customer_quarters.customer_id = items.customer_id
            and customer_quarters.quarter <= items.raised_date
            and customer_quarters.ends_date > items.raised_date

    where
        date_trunc('month', items.raised_date) + interval '2 months'
        <= {{ as_of() }} + 1

    group by customer_quarters.quarter, customer_quarters.customer_id

),

-- A task that was cleared in time is excluded from the rate.
tasks as (

    select
        customer_quarters.quarter,
        customer_quarters.customer_id,
        count(*) as tasks_due,
        count(*) filter (where tasks.is_in_time) as tasks_in_time

    from customer_quarters
    inner join {{ ref('int_playbook_task_status') }} as tasks
        on
            customer_quarters.customer_id = tasks.customer_id
            and tasks.is_in_time is not null
            and customer_quarters.quarter <= tasks.due_at::date
            and customer_quarters.ends_date > tasks.due_at::date

    group by customer_quarters.quarter, customer_quarters.customer_id

),

expansions as (

    select
        customer_quarters.quarter,
        customer_quarters.customer_id,
        sum(months.expansion_amount)::numeric(18, 4) as expansion_mrr_amount

    from customer_quarters
    inner join {{ ref('int_retention_by_customer_month') }} as months
        on
            customer_quarters.customer_id = months.customer_id
            and customer_quarters.quarter <= months.month
            and customer_quarters.ends_date > months.month

    group by customer_quarters.quarter, customer_quarters.customer_id

)

select
    customer_quarters.*,  -- noqa: AM04
    coalesce(meetings.months_met, 0) as months_met,
    coalesce(detractors.detractors_due, 0) as detractors_due,
    coalesce(detractors.detractors_in_time, 0) as detractors_in_time,
    coalesce(wishes.feedback_due, 0) as feedback_due,
    coalesce(wishes.feedback_in_time, 0) as feedback_in_time,
    coalesce(tasks.tasks_due, 0) as tasks_due,
    coalesce(tasks.tasks_in_time, 0) as tasks_in_time,
    coalesce(expansions.expansion_mrr_amount, 0)::numeric(18, 4)
        as expansion_mrr_amount,
    reviews.customer_id is not null as is_review_due,
    coalesce(reviews.is_covered, false) as is_reviewed

from customer_quarters
left join meetings
    on
        customer_quarters.quarter = meetings.quarter
        and customer_quarters.customer_id = meetings.customer_id
left join detractors
    on
        customer_quarters.quarter = detractors.quarter
        and customer_quarters.customer_id = detractors.customer_id
left join wishes
    on
        customer_quarters.quarter = wishes.quarter
        and customer_quarters.customer_id = wishes.customer_id
left join tasks
    on
        customer_quarters.quarter = tasks.quarter
        and customer_quarters.customer_id = tasks.customer_id
left join expansions
    on
        customer_quarters.quarter = expansions.quarter
        and customer_quarters.customer_id = expansions.customer_id
left join {{ ref('int_reviews_by_quarter') }} as reviews
    on
        customer_quarters.quarter = reviews.quarter
        and customer_quarters.customer_id = reviews.customer_id
