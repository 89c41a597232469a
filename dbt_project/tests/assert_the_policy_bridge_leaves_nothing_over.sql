-- Default MRR plus the effect of every switch must equal the policy's MRR for each
-- customer, currency and month, in both currencies. Default MRR must equal the MRR of
-- the spans of the month end.
with

by_policy as (

    select * from {{ ref('fct_mrr_by_policy_monthly') }}

),

spans as (

    select * from {{ ref('fct_mrr_spans') }}

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
        'spans' as policy,
        month,
        customer_id,
        currency,
        mrr_amount as amount,
        mrr_reporting_amount as reporting_amount

    from by_policy

    where policy = 'default'

    union all

    select
        'spans' as policy,
        months.month,
        spans.customer_id,
        spans.currency,
        -spans.mrr_amount as amount,
        -spans.mrr_reporting_amount as reporting_amount

    from spans
    inner join {{ ref('int_months') }} as months
        on daterange(spans.valid_from, spans.valid_to) @> months.closing_date

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
