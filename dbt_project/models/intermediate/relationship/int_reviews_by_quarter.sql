with

mrr_daily as (

    select * from {{ ref('fct_mrr_daily') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

meetings as (

    select * from {{ ref('int_meetings') }}

    where outcome = 'completed' and meeting_kind = 'business_review'

),

first_days as (

    select
        customer_id,
        min(as_of_date) as first_paid_date

    from mrr_daily

    group by customer_id

),

quarters as (

    select
        quarter.day::date as quarter,
        (quarter.day + interval '3 months')::date as next_quarter

    from generate_series(
        (select date_trunc('quarter', min(meeting_date)) from meetings),
        date_trunc('quarter', {{ as_of() }} + 1) - interval '3 months',
        interval '3 months'
    ) as quarter (day)

),

-- Asked of whoever pays at the quarter's end and was old enough at its start.
eligible as (

    select
        quarters.quarter,
        quarters.next_quarter,
        mrr_daily.customer_id,
        sum(mrr_daily.mrr_reporting_amount)::numeric(18, 4) as mrr_reporting_amount

    from quarters
    inner join mrr_daily on quarters.next_quarter - 1 = mrr_daily.as_of_date
    inner join first_days on mrr_daily.customer_id = first_days.customer_id

    where
        first_days.first_paid_date
        <= quarters.quarter - {{ policy('review_min_age_days', 'int') }}

    group by quarters.quarter, quarters.next_quarter, mrr_daily.customer_id

),

reviewed as (

    select
        eligible.quarter,
        eligible.customer_id,
        count(*) as reviews_held,
        count(*) filter (where meetings.has_document) as reviews_documented

    from eligible
    inner join meetings
        on
            eligible.customer_id = meetings.customer_id
            and eligible.quarter <= meetings.meeting_date
            and eligible.next_quarter > meetings.meeting_date

    group by eligible.quarter, eligible.customer_id

)

select
    eligible.quarter,
    eligible.customer_id,
    customers.segment,
    coalesce(customers.csm_id, 'none') as csm_id,
    eligible.mrr_reporting_amount,
    coalesce(reviewed.reviews_held, 0) > 0 as is_held,
    coalesce(reviewed.reviews_documented, 0) > 0 as is_covered

from eligible
inner join customers on eligible.customer_id = customers.customer_id
left join reviewed
    on
        eligible.quarter = reviewed.quarter
        and eligible.customer_id = reviewed.customer_id
