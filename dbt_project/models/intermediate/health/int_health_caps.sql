with

days as (

    select * from {{ ref('int_customer_days_to_score') }}

),

metrics as (

    select * from {{ ref('int_customer_metrics') }}

),

applicable as (

    select * from {{ ref('int_health_applicable_definitions') }}

),

caps as (

    select
        *,
        lead(valid_from, 1, 'infinity'::date) over versions as valid_to

    from {{ ref('health_score_caps') }}

    window versions as (partition by definition, cap_rule order by valid_from)

),

rules as (

    select * from {{ ref('int_alert_rules') }}

    where alert_rule in (select caps.alert_rule from caps)

),

evaluated as (

    {{ evaluated_rules() }}

),

capped as (

    select
        days.customer_id,
        days.as_of_date,
        caps.cap_rule,
        caps.cap,
        rules.sentence,
        evaluated.value,
        evaluated.is_met

    from days
    inner join applicable
        on
            days.segment = applicable.segment
            and days.as_of_date = applicable.as_of_date
    inner join caps
        on
            applicable.definition = caps.definition
            and days.as_of_date >= caps.valid_from
            and days.as_of_date < caps.valid_to
    inner join rules
        on
            caps.alert_rule = rules.alert_rule
            and days.as_of_date >= rules.valid_from
            and days.as_of_date < rules.valid_to
    left join evaluated
        on
            days.customer_id = evaluated.customer_id
            and days.as_of_date = evaluated.as_of_date
            and rules.alert_rule = evaluated.alert_rule

    where caps.cap is not null

)

-- A rule whose metric is not measured could be met: its cap is possible.
select
    customer_id,
    as_of_date,
    min(cap) filter (where is_met) as cap,
    min(cap) filter (where is_met is null) as possible_cap,
    (array_agg(cap_rule order by cap, cap_rule) filter (where is_met))[1] as cap_rule,
    (
        array_agg({{ sentence('sentence', 'value') }} order by cap, cap_rule)
        filter (where is_met)
    )[1] as sentence

from capped

where is_met is distinct from false

group by customer_id, as_of_date
