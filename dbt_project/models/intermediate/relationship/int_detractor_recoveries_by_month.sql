{% set outcomes = ['recovered', 'still_detractor', 'churned', 'not_known'] %}

with

recoveries as (

    select * from {{ ref('int_detractor_recoveries') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

months as (

    select * from {{ ref('int_months') }}

),

counted as (

    select
        months.month,
        coalesce(customers.segment, 'all') as segment,
        count(*) as detractors,
        count(*) filter (where recoveries.is_sla_met is not null) as detractors_due,
        count(*) filter (where recoveries.is_sla_met) as detractors_in_time,
        count(*) filter (where recoveries.is_sla_met is null) as detractors_censored,
        count(*) filter (
            where recoveries.is_sla_met and recoveries.is_first_action_linked
        ) as detractors_in_time_linked,
        count(*) filter (where recoveries.first_action_at is null)
            as detractors_without_action,
        count(*) filter (where recoveries.escalation_level > 0)
            as detractors_to_escalate,
        count(recoveries.plan_action_id) as detractors_with_plan,
        {% for outcome in outcomes -%}
        count(*) filter (where recoveries.outcome = '{{ outcome }}')
            as outcome_{{ outcome }},
        {% endfor -%}
        (
            percentile_cont(0.5) within group (
                order by recoveries.hours_to_first_action
            )
        )::numeric(12, 2) as median_action_hours,
        (
            percentile_cont(0.9) within group (
                order by recoveries.hours_to_first_action
            )
        )::numeric(12, 2) as p90_action_hours

    from recoveries
    inner join customers on recoveries.customer_id = customers.customer_id
    inner join months
        on date_trunc('month', recoveries.answered_date)::date = months.month

    group by grouping sets ((months.month), (months.month, customers.segment))

)

select
    month,
    segment,
    detractors,
    detractors_due,
    detractors_in_time,
    detractors_censored,
    (detractors_in_time::numeric / nullif(detractors_due, 0))::numeric(9, 6)
        as in_time_rate,
    detractors_in_time_linked,
    (detractors_in_time_linked::numeric / nullif(detractors_due, 0))::numeric(9, 6)
        as in_time_linked_rate,
    detractors_without_action,
    detractors_to_escalate,
    detractors_with_plan,
    (detractors_with_plan::numeric / detractors)::numeric(9, 6) as plan_rate,
    median_action_hours,
    p90_action_hours,
    outcome_recovered,
    outcome_still_detractor,
    outcome_churned,
    outcome_not_known

from counted
