with

switches as (

    select
        policies.policy,
        policies.switch,
        coalesce(nullif(policies.value, 'inherits'), defaults.value) as value

    from {{ ref('mrr_policies') }} as policies
    inner join {{ ref('mrr_policies') }} as defaults
        on
            policies.switch = defaults.switch
            and defaults.policy = 'default'

),

last_stages as (

    select * from {{ ref('int_mrr_policy_stages') }}

    where is_last

),

policies as (

    select
        policy,
        {% for switch in [
            'full_discount', 'free_plan', 'same_month_join_and_leave',
            'same_month_leave_and_return', 'churn_denominator'
        ] -%}
        max(value) filter (where switch = '{{ switch }}') as {{ switch }},
        {% endfor -%}
        max(value::int) filter (where switch = 'reactivation_gap_days')
            as reactivation_gap_days

    from switches

    group by policy

)

-- A policy without stages of its own has the MRR of the default.
select
    policies.*,
    coalesce(last_stages.policy, 'default') as stage_policy,
    coalesce(last_stages.position, 0) as stage_position

from policies
left join last_stages on policies.policy = last_stages.policy
