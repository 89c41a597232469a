with

journey as (

    select * from {{ ref('int_journey_stages') }}

),

churns as (

    select
        customer_id,
        max(churned_date) as churned_date

    from {{ ref('int_onboarding_milestones') }}

    group by customer_id

),

months as (

    select
        month.day::date as month,
        (month.day + interval '1 month')::date as next_month

    from generate_series(
        (select date_trunc('month', min(journey.entered_date)) from journey),
        {{ as_of() }},
        interval '1 month'
    ) as month (day)

),

-- Point-in-time: the third quartile as known when the month began. A customer that
-- churned later still counts as retained.
norms as (

    select
        months.month,
        months.next_month,
        journey.stage,
        percentile_disc({{ policy('journey_stall_percentile', 'float') }})
        within group (order by journey.dwell_days) as stall_after_days

    from months
    inner join journey
        on months.month > journey.exited_date and journey.exit = 'advanced'
    inner join churns
        on
            journey.customer_id = churns.customer_id
            and (churns.churned_date is null or months.month <= churns.churned_date)

    group by months.month, months.next_month, journey.stage

    having count(*) >= {{ policy('journey_min_customers', 'int') }}

),

crossed as (

    select
        journey.customer_id,
        journey.stage,
        journey.exited_date,
        norms.stall_after_days,
        norms.next_month,
        greatest(journey.entered_date + norms.stall_after_days + 1, norms.month)
            as opened_date

    from journey
    inner join norms on journey.stage = norms.stage

)

select distinct on (customer_id, stage)
    customer_id,
    stage,
    stall_after_days,
    opened_date,
    exited_date

from crossed

where
    opened_date < next_month
    and opened_date <= {{ as_of() }}
    and (exited_date is null or opened_date < exited_date)

order by customer_id, stage, opened_date
