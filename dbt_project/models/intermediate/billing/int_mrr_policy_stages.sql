{{ config(materialized='table') }}

with

switches as (

    select * from {{ ref('mrr_switches') }}

),

policies as (

    select * from {{ ref('mrr_policies') }}

),

resolved as (

    select
        policies.policy,
        switches.switch,
        switches.cause,
        switches.position,
        defaults.value as default_value,
        coalesce(nullif(policies.value, 'inherits'), defaults.value) as value

    from policies
    inner join switches on policies.switch = switches.switch
    inner join policies as defaults
        on
            policies.switch = defaults.switch
            and defaults.policy = 'default'

),

-- Stages lead from the default to a policy, one cause at a time. The change of MRR from
-- one stage to the next is the effect of the cause.
turns as (

    select distinct
        policy,
        cause,
        position

    from resolved

    where position is not null and value != default_value

    union all

    select
        'default' as policy,
        'default' as cause,
        0 as position

),

stages as (

    select
        *,
        position = max(position) over (partition by policy) as is_last,
        lag(position, 1, 0) over (partition by policy order by position)
            as position_before,
        row_number() over (partition by policy order by position) = 1 as is_first

    from turns

)

select
    stages.policy,
    stages.cause,
    {% for switch, type in [
        ('months_per_week', 'numeric(18, 12)'),
        ('months_per_day', 'numeric(18, 12)'),
        ('discount_once', 'text'),
        ('discount_repeating', 'text'),
        ('discount_forever', 'text'),
        ('discount_scope', 'text'),
        ('tax', 'text'),
        ('proration', 'text'),
        ('trial', 'text'),
        ('paused', 'text'),
        ('metered', 'text'),
        ('past_due_days', 'text'),
        ('unpaid', 'text'),
        ('cancel_recognised', 'text'),
        ('renewal_tolerance_days', 'int'),
        ('fx_rate', 'text')
    ] -%}
    max(
        case
            when resolved.position <= stages.position then resolved.value
            else resolved.default_value
        end
    ) filter (where resolved.switch = '{{ switch }}')::{{ type }} as {{ switch }},
    {% endfor -%}
    stages.position,
    stages.position_before,
    stages.is_first,
    stages.is_last

from stages
inner join resolved on stages.policy = resolved.policy

group by
    stages.policy,
    stages.cause,
    stages.position,
    stages.position_before,
    stages.is_first,
    stages.is_last
