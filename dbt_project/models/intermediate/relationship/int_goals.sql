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

unioned as (

    select
        'hubspot' as source,
        goal_id,
        company_id as account_key,
        goal_name,
        status,
        baseline,
        target,
        current_value,
        due_date

    from hubspot_goals

    union all

    select
        'files' as source,
        goal_id,
        account_id as account_key,
        goal_name,
        status,
        baseline,
        target,
        current_value,
        due_date

    from files_goals

)

select
    unioned.*,
    customer_keys.customer_id

from unioned
left join customer_keys on unioned.account_key = customer_keys.account_key
