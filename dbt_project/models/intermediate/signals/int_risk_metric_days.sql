with

days as (

    select * from {{ ref('int_customer_days_observed') }}

),

rules as (

    select * from {{ ref('int_risk_rules') }}

    where kind = 'metric'

),

looked_at as (

    select
        days.customer_id,
        days.as_of_date,
        rules.signal,
        rules.version as rule_version,
        rules.rule_fingerprint,
        rules.comparison,
        rules.threshold,
        rules.days_running,
        days.metrics is null as has_left,
        (days.metrics ->> (rules.metric || '_date'))::date as observed_date,
        case
            when
                days.as_of_date
                - (days.metrics ->> (rules.metric || '_date'))::date
                <= rules.max_age_days
                then (days.metrics ->> rules.metric)::numeric(18, 4)
        end::numeric(18, 4) as value

    from days
    inner join rules
        on days.as_of_date >= rules.valid_from and days.as_of_date < rules.valid_to

)

-- What is not measured, or rests on facts that are too old, is null: it says nothing.
select
    customer_id,
    as_of_date,
    signal,
    rule_version,
    rule_fingerprint,
    days_running,
    has_left,
    observed_date,
    value,
    not has_left
    and case comparison
        when 'at_least' then value >= threshold
        when 'at_most' then value <= threshold
    end as is_met

from looked_at
