with

groups as (

    select * from {{ ref('int_customer_groups') }}

),

health as (

    select * from {{ ref('fct_customer_health_daily') }}

    where as_of_date = {{ as_of() }}

)

-- A parent's health is that of its paying children, each by its money, and only of
-- those that could be measured: `group_measured_share` says how much of the money that
-- was.
select
    groups.group_id,
    count(*) as group_customers,
    sum(health.mrr_reporting_amount)::numeric(18, 4) as group_mrr_amount,
    (
        sum(health.score * health.mrr_reporting_amount) filter (
            where health.band != 'unknown'
        )
        / nullif(
            sum(health.mrr_reporting_amount) filter (
                where health.band != 'unknown'
            ),
            0
        )
    )::numeric(5, 2) as group_health_score,
    (
        coalesce(
            sum(health.mrr_reporting_amount) filter (
                where health.band != 'unknown'
            ),
            0
        ) / nullif(sum(health.mrr_reporting_amount), 0)
    )::numeric(4, 3) as group_measured_share

from groups
inner join health on groups.customer_id = health.customer_id

group by groups.group_id
