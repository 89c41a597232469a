with

metrics as (

    select * from {{ ref('int_customer_metrics_history') }}

),

rules as (

    select * from {{ ref('int_alert_rules') }}

    where kind = 'metric' and used_for = 'alerts'

),

evaluated as (

    {{ evaluated_rules() }}

),

history as (

    select * from {{ ref('int_customer_days_history') }}

),

scored_days as (

    select
        as_of_date,
        lead(as_of_date) over (order by as_of_date) as next_date

    from (
        select history.as_of_date from history

        union

        select {{ as_of() }} as as_of_date
    ) as days

),

-- A customer without a row on the next scored day has churned.
churned_days as (

    select
        history.customer_id,
        scored_days.next_date as as_of_date

    from history
    inner join scored_days on history.as_of_date = scored_days.as_of_date
    left join history as later
        on
            history.customer_id = later.customer_id
            and scored_days.next_date = later.as_of_date

    where scored_days.next_date is not null and later.customer_id is null

),

-- A churned customer has no metrics and meets no rule.
churned as (

    select
        days.customer_id,
        days.as_of_date,
        rules.alert_rule,
        rules.version as rule_version,
        rules.rule_fingerprint,
        rules.days_running

    from churned_days as days
    inner join rules
        on days.as_of_date >= rules.valid_from and days.as_of_date < rules.valid_to

)

select
    *,
    false as has_left

from evaluated

union all

select
    *,
    null as observed_date,
    null::numeric(18, 4) as value,
    false as is_met,
    true as has_left

from churned
