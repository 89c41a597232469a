{{
    config(
        materialized='incremental',
        incremental_strategy='from_first_day',
        pre_hook="{{ forget_changed_alert_rules() }}"
    )
}}

with

earlier as (

    {{ metric_alerts_before() }}

),

-- A new rule is evaluated over the whole history, other rules only over the days to
-- score.
rules as (

    select
        alert_rule,
        rule_fingerprint,
        case
            when alert_rule in (select earlier.alert_rule from earlier)
                then {{ first_day_to_score() }}
            else '-infinity'::date
        end as first_date

    from {{ ref('int_alert_rules') }}

    where kind = 'metric' and used_for = 'alerts'

    group by alert_rule, rule_fingerprint

),

-- A day that does not meet the rule starts a new group; the days that meet it follow. A
-- day without a value neither opens nor closes an alert.
stretches as (

    select
        days.*,
        count(*) filter (where not days.is_met) over (
            partition by days.customer_id, days.alert_rule order by days.as_of_date
        ) as stretch

    from {{ ref('int_alert_metric_days') }} as days
    inner join rules on days.alert_rule = rules.alert_rule

    where
        days.as_of_date >= rules.first_date
        and days.as_of_date >= (select min(each.first_date) from rules as each)
        and days.is_met is not null

),

running as (

    select
        stretches.*,
        coalesce(earlier.status, 'clear') as status_before,
        case
            when stretches.is_met then coalesce(
                case when stretches.stretch = 0 then earlier.met_since_date end,
                min(stretches.as_of_date) filter (where stretches.is_met) over (
                    partition by
                        stretches.customer_id, stretches.alert_rule, stretches.stretch
                )
            )
        end as met_since_date

    from stretches
    left join earlier
        on
            stretches.customer_id = earlier.customer_id
            and stretches.alert_rule = earlier.alert_rule

),

states as (

    select
        *,
        case
            when has_left then 'left'
            when not is_met then 'clear'
            when as_of_date - met_since_date + 1 >= days_running then 'open'
            else 'pending'
        end as status

    from running

),

compared as (

    select
        *,
        lag(status, 1, status_before) over (
            partition by customer_id, alert_rule order by as_of_date
        ) as last_status

    from states

)

select
    customer_id,
    alert_rule,
    rule_version,
    rule_fingerprint,
    status,
    value,
    met_since_date,
    observed_date,
    as_of_date

from compared

where status != last_status and last_status || status not in ('clearleft', 'leftclear')

union all

-- This row marks the rule as evaluated, even if no customer ever met it.
select
    null as customer_id,
    alert_rule,
    null as rule_version,
    rule_fingerprint,
    'looked_up' as status,
    null::numeric(18, 4) as value,
    null as met_since_date,
    null as observed_date,
    (
        select min(history.as_of_date)
        from {{ ref('int_customer_days_history') }} as history
    ) as as_of_date

from rules

where first_date = '-infinity'::date
