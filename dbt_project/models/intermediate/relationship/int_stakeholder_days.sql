{{ config(materialized='table') }}

-- The ends of the months of two years, and the day itself.
with

dates as (

    select (month_start.day - interval '1 day')::date as as_of_date

    from
        generate_series(
            date_trunc('month', {{ as_of() }} + 1) - interval '23 months',
            date_trunc('month', {{ as_of() }} + 1),
            interval '1 month'
        ) as month_start (day)

    union

    select {{ as_of() }} as as_of_date

),

mrr_daily as (

    select * from {{ ref('fct_mrr_daily') }}

),

first_roles as (

    select
        customer_id,
        min(starts_date) as first_role_date

    from {{ ref('int_contact_roles') }}

    group by customer_id

),

customers as (

    select * from {{ ref('int_customers') }}

)

-- Only of customers whose contacts have roles can be said whom we reach.
select
    dates.as_of_date,
    mrr_daily.customer_id,
    customers.segment,
    coalesce(customers.csm_id, 'none') as csm_id,
    case
        when
            customers.segment in (
                select levels.segment from {{ ref('stakeholder_levels') }} as levels
            )
            then customers.segment
        else 'all'
    end as level_segment,
    (sum(mrr_daily.mrr_reporting_amount) * 12)::numeric(18, 4) as arr_amount,
    first_roles.first_role_date

from dates
inner join mrr_daily on dates.as_of_date = mrr_daily.as_of_date
inner join customers on mrr_daily.customer_id = customers.customer_id
inner join first_roles on mrr_daily.customer_id = first_roles.customer_id

where
    dates.as_of_date >= (
        select min(meetings.meeting_date)
        from {{ ref('int_meeting_records') }} as meetings
    )

group by
    dates.as_of_date,
    mrr_daily.customer_id,
    customers.segment,
    customers.csm_id,
    first_roles.first_role_date
