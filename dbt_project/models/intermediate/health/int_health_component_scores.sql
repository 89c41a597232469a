with

customer_days as (

    select * from {{ ref('int_customer_days_to_score') }}

),

metrics as (

    select * from {{ ref('int_customer_metrics') }}

),

applicable as (

    select * from {{ ref('int_health_applicable_definitions') }}

),

definitions as (

    select * from {{ ref('int_health_definitions') }}

),

-- A value older than max_age_days counts as not measured: null, not zero or neutral.
measured as (

    select
        customer_days.customer_id,
        customer_days.as_of_date,
        definitions.definition,
        definitions.version,
        definitions.component,
        definitions.source,
        definitions.metric,
        definitions.worst,
        definitions.best,
        definitions.weight,
        definitions.sentence,
        metrics.observed_date,
        customer_days.as_of_date - metrics.observed_date as age_days,
        case
            when
                customer_days.as_of_date - metrics.observed_date
                <= definitions.max_age_days
                then metrics.value
        end::numeric(18, 4) as value

    from customer_days
    inner join applicable
        on
            customer_days.segment = applicable.segment
            and customer_days.as_of_date = applicable.as_of_date
    inner join definitions
        on
            applicable.definition = definitions.definition
            and applicable.version = definitions.version
            and applicable.definition_segment = definitions.segment
    left join metrics
        on
            customer_days.customer_id = metrics.customer_id
            and customer_days.as_of_date = metrics.as_of_date
            and definitions.metric = metrics.metric

),

scored as (

    select
        *,
        {{ component_points('value') }} as component_score

    from measured

),

-- Weights are relative to the weight measured that day.
weighted as (

    select
        *,
        sum(component_score * weight) over up_to_here as points,
        sum(weight) filter (where component_score is not null) over customer_days
            as measured_weight,
        weight / sum(weight) over customer_days as share

    from scored

    window
        customer_days as (partition by customer_id, as_of_date),
        up_to_here as (
            partition by customer_id, as_of_date
            order by component
            rows between unbounded preceding and current row
        )

)

-- Contributions are differences of the rounded running sum, so they add up to the
-- rounded score. A component that was not measured has a null contribution, not zero.
select
    *,
    case
        when component_score is not null
            then
                round(points / measured_weight, 2)
                - round((points - component_score * weight) / measured_weight, 2)
    end::numeric(5, 2) as contribution,
    ((100 - component_score) * share)::numeric(7, 4) as lost_points

from weighted
