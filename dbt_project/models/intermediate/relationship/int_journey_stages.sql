{{ config(materialized='table') }}

with

milestones as (

    select * from {{ ref('int_onboarding_milestones') }}

    where stage is not null

),

-- A later milestone passes all earlier ones: no customer moves back a stage.
passed as (

    select
        customer_id,
        stage,
        place,
        signed_date,
        churned_date,
        greatest(
            signed_date,
            min(reached_date) over (
                partition by customer_id order by place
                rows between current row and unbounded following
            )
        ) as passed_date,
        min(reached_date) over (
            partition by customer_id order by place
            rows between current row and unbounded following
        ) is not null as is_passed

    from milestones

),

stages as (

    select
        customer_id,
        stage,
        place,
        churned_date,
        lag(passed_date, 1, signed_date) over stages_in_order as entered_date,
        lag(is_passed, 1, true) over stages_in_order as is_entered,
        case when is_passed then passed_date end as passed_date

    from passed

    window stages_in_order as (partition by customer_id order by place)

    union all

    select
        customer_id,
        'established' as stage,
        99 as place,
        churned_date,
        max(passed_date) as entered_date,
        bool_and(is_passed) as is_entered,
        null as passed_date

    from passed

    group by customer_id, churned_date

)

select
    customer_id,
    stage,
    place,
    churned_date is null as is_retained,
    case
        when passed_date is not null then 'advanced'
        when churned_date is not null then 'churned'
        else 'open'
    end as exit,
    coalesce(passed_date, churned_date, {{ as_of() }}) - entered_date
        as dwell_days,
    entered_date,
    coalesce(passed_date, churned_date) as exited_date

from stages

where is_entered
