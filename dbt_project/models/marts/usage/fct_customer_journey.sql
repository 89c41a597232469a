with

milestones as (

    select * from {{ ref('int_onboarding_milestones') }}

    where stage is not null

),

-- A later milestone passes all earlier ones, so that nobody goes back.
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

),

dwells as (

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

),

-- Who is still in a stage has not decided yet: open ones count neither as advanced nor
-- as lost.
norms as (

    select
        stage,
        percentile_disc(0.5) within group (order by dwell_days) filter (
            where exit = 'advanced'
        ) as median_dwell_days,
        case
            when
                count(*) filter (where exit = 'advanced' and is_retained)
                >= {{ policy('journey_min_customers', 'int') }}
                then
                    percentile_disc({{ policy('journey_stall_percentile', 'float') }})
                    within group (order by dwell_days) filter (
                        where exit = 'advanced' and is_retained
                    )
        end as stall_after_days,
        (
            count(*) filter (where exit = 'churned')::numeric
            / nullif(count(*) filter (where exit != 'open'), 0)
        )::numeric(9, 6) as drop_off_rate

    from dwells

    group by stage

)

select
    dwells.customer_id,
    dwells.stage,
    dwells.place,
    dwells.exit,
    dwells.dwell_days,
    norms.median_dwell_days,
    norms.stall_after_days,
    dwells.dwell_days > norms.stall_after_days as is_stalled,
    case
        when dwells.stage != 'established' then norms.drop_off_rate
    end::numeric(9, 6) as drop_off_rate,
    dwells.entered_date,
    dwells.exited_date,
    {{ as_of() }} as as_of_date

from dwells
inner join norms on dwells.stage = norms.stage
