with

recoveries as (

    select * from {{ ref('int_detractor_recoveries') }}

),

customers as (

    select * from {{ ref('int_customers') }}

)

select
    date_trunc('month', recoveries.answered_at)::date as month,
    coalesce(customers.segment, 'all') as segment,
    count(*) filter (where recoveries.is_sla_met is not null) as detractors_due,
    count(*) filter (where recoveries.is_sla_met) as detractors_in_time,
    (
        percentile_cont(0.5) within group (
            order by
                extract(epoch from recoveries.first_action_at - recoveries.answered_at)
                / 3600
        )
    )::numeric(12, 2) as median_action_hours

from recoveries
inner join customers on recoveries.customer_id = customers.customer_id

group by grouping sets (
    (date_trunc('month', recoveries.answered_at)),
    (date_trunc('month', recoveries.answered_at), customers.segment)
)
