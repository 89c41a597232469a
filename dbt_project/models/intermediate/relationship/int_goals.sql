{{ config(materialized='table') }}

with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

hubspot_goals as (

    select * from {{ ref('stg_hubspot__goals') }}

),

files_goals as (

    select * from {{ ref('stg_files__goals') }}

),

vocabulary as (

    select * from {{ ref('vocabulary') }}

    where field = 'goal_status'

),

unioned as (

    select
        'hubspot' as source,
        goal_id,
        company_id as account_key,
        goal_name,
        status as vendor_status,
        baseline,
        target,
        current_value,
        due_date,
        created_at::date as created_date,
        closed_date,
        source_updated_at::date as updated_date

    from hubspot_goals

    union all

    select
        'files' as source,
        goal_id,
        account_id as account_key,
        goal_name,
        lower(status) as vendor_status,
        baseline,
        target,
        current_value,
        due_date,
        created_date,
        closed_date,
        source_updated_at::date as updated_date

    from files_goals

),

named as (

    select
        unioned.*,
        customer_keys.customer_id,
        coalesce(vocabulary.canonical_value, unioned.vendor_status, 'open') as status

    from unioned
    left join customer_keys on unioned.account_key = customer_keys.account_key
    left join vocabulary on unioned.vendor_status = vocabulary.vendor_value

)

-- Without a recorded close date, a missed goal closes on its due date, others on the
-- last change of the record.
select
    source,
    goal_id,
    customer_id,
    account_key,
    goal_name,
    status,
    baseline,
    target,
    current_value,
    (
        (current_value - baseline) / nullif(target - baseline, 0)
    )::numeric(9, 4) as progress,
    created_date,
    due_date,
    case
        when status in ('attained', 'missed', 'dropped')
            then coalesce(
                closed_date,
                case when status = 'missed' then due_date end,
                updated_date
            )
    end as closed_date

from named
