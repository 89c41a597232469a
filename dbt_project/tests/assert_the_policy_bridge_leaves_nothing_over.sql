-- Default plus every cause is the policy, for every customer, currency and month, in
-- both currencies; and the default policy is what the daily table says on the month's
-- last day.
with

by_policy as (

    select * from {{ ref('fct_mrr_by_policy_monthly') }}

),

mrr_daily as (

    select * from {{ ref('fct_mrr_daily') }}

),

entries as (

    select
        policy,
        month,
        customer_id,
        currency,
        mrr_amount as amount,
        mrr_reporting_amount as reporting_amount

    from by_policy

    union all

    select
        policies.policy,
        by_policy.month,
        by_policy.customer_id,
        by_policy.currency,
        -by_policy.mrr_amount as amount,
        -by_policy.mrr_reporting_amount as reporting_amount

    from by_policy
    cross join {{ ref('int_mrr_policies') }} as policies

    where by_policy.policy = 'default'

    union all

    select
        policy,
        month,
        customer_id,
        currency,
        -cause_amount as amount,
        -cause_reporting_amount as reporting_amount

    from {{ ref('fct_mrr_policy_bridge_monthly') }}

    union all

    select
        'the daily table' as policy,
        month,
        customer_id,
        currency,
        mrr_amount as amount,
        mrr_reporting_amount as reporting_amount

    from by_policy

    where policy = 'default'

    union all

    select
        'the daily table' as policy,
        months.month,
        mrr_daily.customer_id,
        mrr_daily.currency,
        -mrr_daily.mrr_amount as amount,
        -mrr_daily.mrr_reporting_amount as reporting_amount

    from mrr_daily
    inner join {{ ref('int_months') }} as months
        on mrr_daily.as_of_date = months.closing_date

)

select
    policy,
    month,
    customer_id,
    currency,
    sum(amount) as residual_amount,
    sum(reporting_amount) as residual_reporting_amount

from entries

group by policy, month, customer_id, currency

having sum(amount) != 0 or sum(reporting_amount) != 0
