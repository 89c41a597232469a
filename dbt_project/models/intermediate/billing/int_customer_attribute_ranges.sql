{{ config(materialized='table') }}

{% set attributes = ['segment', 'industry', 'plan', 'region', 'csm_owner_id'] %}

with

accounts as (

    select * from {{ ref('int_customer_account_ranges') }}

    where starts_date <= {{ as_of() }}

),

plans as (

    select * from {{ ref('int_customer_plan_ranges') }}

),

starts as (

    select
        customer_id,
        starts_date

    from accounts

    union

    select
        customer_id,
        starts_date

    from plans

),

first_plans as (

    select distinct on (customer_id)
        customer_id,
        plan

    from plans

    order by customer_id, starts_date

),

-- Before the first subscription, use its plan.
looked_up as (

    select
        starts.customer_id,
        starts.starts_date,
        accounts.segment,
        accounts.industry,
        coalesce(plans.plan, first_plans.plan, accounts.plan) as plan,
        accounts.region,
        accounts.csm_owner_id

    from starts
    inner join accounts
        on
            starts.customer_id = accounts.customer_id
            and starts.starts_date >= accounts.starts_date
            and (
                accounts.ends_date is null or starts.starts_date < accounts.ends_date
            )
    left join plans
        on
            starts.customer_id = plans.customer_id
            and starts.starts_date >= plans.starts_date
            and (plans.ends_date is null or starts.starts_date < plans.ends_date)
    left join first_plans on starts.customer_id = first_plans.customer_id

),

compared as (

    select
        *,
        jsonb_build_array({{ attributes | join(', ') }}) as attributes,
        lag(jsonb_build_array({{ attributes | join(', ') }})) over (
            partition by customer_id order by starts_date
        ) as attributes_before

    from looked_up

)

select
    customer_id,
    {{ attributes | join(',\n    ') }},
    starts_date,
    lead(starts_date) over (partition by customer_id order by starts_date) as ends_date

from compared

where attributes_before is distinct from attributes
