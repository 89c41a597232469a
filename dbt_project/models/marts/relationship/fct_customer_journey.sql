with

stages as (

    select * from {{ ref('int_journey_stages') }}

),

-- Customers still in a stage count neither as advanced nor as churned.
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

    from stages

    group by stage

)

select
    stages.customer_id,
    stages.stage,
    stages.place,
    stages.exit,
    stages.dwell_days,
    norms.median_dwell_days,
    norms.stall_after_days,
    stages.dwell_days > norms.stall_after_days as is_stalled,
    case
        when stages.stage != 'established' then norms.drop_off_rate
    end::numeric(9, 6) as drop_off_rate,
    stages.entered_date,
    stages.exited_date,
    {{ as_of() }} as as_of_date

from stages
inner join norms on stages.stage = norms.stage
