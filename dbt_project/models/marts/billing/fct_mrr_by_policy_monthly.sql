{{ config(materialized='view') }}

with

mrr_by_policy as (

    select * from {{ ref('int_mrr_by_policy') }}

),

policies as (

    select * from {{ ref('int_mrr_policies') }}

)

select
    policies.policy,
    mrr_by_policy.month,
    mrr_by_policy.customer_id,
    mrr_by_policy.currency,
    {{ policy('reporting_currency', 'text') }} as reporting_currency,
    mrr_by_policy.mrr_amount,
    mrr_by_policy.mrr_reporting_amount

from mrr_by_policy
inner join policies
    on
        mrr_by_policy.policy = policies.stage_policy
        and mrr_by_policy.position = policies.stage_position

where mrr_by_policy.mrr_amount > 0
