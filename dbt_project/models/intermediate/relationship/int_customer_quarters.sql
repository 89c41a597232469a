{{ config(materialized='table') }}

with

mrr_daily as (

    select * from {{ ref('fct_mrr_daily') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

attributes as (

    select * from {{ ref('int_customer_attribute_ranges') }}

),

first_days as (

    select
        customer_id,
        min(as_of_date) as first_paid_date

    from mrr_daily

    group by customer_id

),

-- Nothing is asked of a quarter before the calendar came in.
quarters as (

    select
        quarter.day::date as quarter,
        (quarter.day + interval '3 months')::date as next_quarter,
        (quarter.day + interval '6 months')::date as quarter_after

    from generate_series(
        (
            select date_trunc('quarter', min(meetings.meeting_date))
            from {{ ref('int_meeting_records') }} as meetings
        ),
        date_trunc('quarter', {{ as_of() }} + 1) - interval '3 months',
        interval '3 months'
    ) as quarter (day)

),

paying as (

    select
        quarters.quarter,
        mrr_daily.customer_id,
        sum(mrr_daily.mrr_reporting_amount)::numeric(18, 4) as mrr_reporting_amount

    from quarters
    inner join mrr_daily on quarters.next_quarter - 1 = mrr_daily.as_of_date

    group by quarters.quarter, mrr_daily.customer_id

),

stayed as (

    select distinct
        quarters.quarter,
        mrr_daily.customer_id

    from quarters
    inner join mrr_daily on quarters.quarter_after - 1 = mrr_daily.as_of_date

)

select
    paying.quarter,
    quarters.next_quarter,
    paying.customer_id,
    coalesce(attributes.segment, customers.segment) as segment,
    coalesce(attributes.csm_owner_id, customers.csm_id, 'none') as csm_id,
    paying.mrr_reporting_amount,
    quarters.quarter - first_days.first_paid_date as age_days,
    -- Not measured until the quarter after has ended.
    case
        when quarters.quarter_after <= {{ as_of() }} + 1
            then stayed.customer_id is null
    end as is_gone_a_quarter_later

from paying
inner join quarters on paying.quarter = quarters.quarter
inner join first_days on paying.customer_id = first_days.customer_id
inner join customers on paying.customer_id = customers.customer_id
left join attributes
    on
        paying.customer_id = attributes.customer_id
        and quarters.next_quarter > attributes.starts_date
        and (
            attributes.ends_date is null
            or quarters.next_quarter <= attributes.ends_date
        )
left join stayed
    on
        paying.quarter = stayed.quarter
        and paying.customer_id = stayed.customer_id
