{{ config(materialized='table') }}

-- The month ends of the last two years, and as_of.
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

spans as (

    select * from {{ ref('int_mrr_spans') }}

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

-- Coverage needs contacts with roles.
select
    dates.as_of_date,
    spans.customer_id,
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
    (sum(spans.mrr_reporting_amount) * 12)::numeric(18, 4) as arr_amount,
    first_roles.first_role_date

from dates
inner join spans
    on daterange(spans.valid_from, spans.valid_to) @> dates.as_of_date
inner join customers on spans.customer_id = customers.customer_id
inner join first_roles on spans.customer_id = first_roles.customer_id

where
    dates.as_of_date >= (
        select min(meetings.meeting_date)
        from {{ ref('int_meeting_records') }} as meetings
    )

group by
    dates.as_of_date,
    spans.customer_id,
    customers.segment,
    customers.csm_id,
    first_roles.first_role_date
