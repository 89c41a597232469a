with

metrics as (

    select * from {{ ref('int_customer_metrics') }}

),

segments as (

    select
        *,
        count(*) over (partition by segment) as rule_count

    from {{ ref('behavioural_segments') }}

),

rules as (

    select * from {{ ref('int_alert_rules') }}

    where alert_rule in (select segments.alert_rule from segments)

),

evaluated as (

    {{ evaluated_rules() }}

),

-- A rule whose metric is not measured is not met.
complete as (

    select
        evaluated.customer_id,
        evaluated.as_of_date,
        segments.segment,
        segments.priority

    from evaluated
    inner join segments on evaluated.alert_rule = segments.alert_rule

    where evaluated.is_met

    group by
        evaluated.customer_id,
        evaluated.as_of_date,
        segments.segment,
        segments.priority,
        segments.rule_count

    having count(*) = segments.rule_count

)

select distinct on (days.customer_id, days.as_of_date)
    days.customer_id,
    coalesce(complete.segment, 'regular') as behavioural_segment,
    days.as_of_date

from {{ ref('int_usage_metrics_daily') }} as days
left join complete
    on
        days.customer_id = complete.customer_id
        and days.as_of_date = complete.as_of_date

order by days.customer_id, days.as_of_date, complete.priority
