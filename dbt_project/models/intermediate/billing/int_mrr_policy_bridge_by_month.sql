{{ config(**rebuilt(by_month=true)) }}

with

mrr_by_policy as (

    select * from {{ ref('int_mrr_by_policy') }}

    where {{ is_to_rebuild('customer_id', 'month') }}

),

stages as (

    select * from {{ ref('int_mrr_policy_stages') }}

),

by_final_policy as (

    select
        policies.policy,
        mrr_by_policy.month,
        mrr_by_policy.customer_id,
        mrr_by_policy.currency,
        mrr_by_policy.mrr_amount,
        mrr_by_policy.mrr_reporting_amount

    from mrr_by_policy
    inner join {{ ref('int_mrr_policies') }} as policies
        on
            mrr_by_policy.policy = policies.stage_policy
            and mrr_by_policy.position = policies.stage_position

    where mrr_by_policy.mrr_amount > 0

),

-- Effect of a cause = the stage that applies its switches minus the stage before.
links as (

    select
        policy,
        cause,
        position,
        policy as stage_policy,
        position as stage_position,
        1 as sign

    from stages

    where position > 0

    union all

    select
        policy,
        cause,
        position,
        case when is_first then 'default' else policy end as stage_policy,
        position_before as stage_position,
        -1 as sign

    from stages

    where position > 0

),

causes as (

    select
        links.policy,
        mrr_by_policy.month,
        mrr_by_policy.customer_id,
        mrr_by_policy.currency,
        links.cause,
        links.position,
        sum(links.sign * mrr_by_policy.mrr_amount)::numeric(18, 4) as cause_amount,
        sum(links.sign * mrr_by_policy.mrr_reporting_amount)::numeric(18, 4)
            as cause_reporting_amount

    from links
    inner join mrr_by_policy
        on
            links.stage_policy = mrr_by_policy.policy
            and links.stage_position = mrr_by_policy.position

    group by
        links.policy,
        mrr_by_policy.month,
        mrr_by_policy.customer_id,
        mrr_by_policy.currency,
        links.cause,
        links.position

    having
        sum(links.sign * mrr_by_policy.mrr_amount) != 0
        or sum(links.sign * mrr_by_policy.mrr_reporting_amount) != 0

)

select
    causes.policy,
    causes.month,
    causes.customer_id,
    causes.currency,
    causes.cause,
    causes.position,
    {{ policy('reporting_currency', 'text') }} as reporting_currency,
    coalesce(before.mrr_amount, 0)::numeric(18, 4) as default_amount,
    causes.cause_amount,
    coalesce(after.mrr_amount, 0)::numeric(18, 4) as policy_amount,
    coalesce(before.mrr_reporting_amount, 0)::numeric(18, 4)
        as default_reporting_amount,
    causes.cause_reporting_amount,
    coalesce(after.mrr_reporting_amount, 0)::numeric(18, 4) as policy_reporting_amount

from causes
left join by_final_policy as before
    on
        before.policy = 'default'
        and causes.month = before.month
        and causes.customer_id = before.customer_id
        and causes.currency = before.currency
left join by_final_policy as after
    on
        causes.policy = after.policy
        and causes.month = after.month
        and causes.customer_id = after.customer_id
        and causes.currency = after.currency
