with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

tasks as (

    select * from {{ ref('stg_hubspot__tasks') }}

    where completed_at is not null

),

meetings as (

    select * from {{ ref('int_meetings') }}

    where outcome = 'completed' and customer_id is not null

)

-- What the company did for a customer: a task done or a meeting held, never a task
-- planned.
select
    customer_keys.customer_id,
    'task' as action_kind,
    tasks.survey_response_id,
    tasks.completed_at as acted_at

from tasks
inner join customer_keys on tasks.company_id = customer_keys.account_key

union all

select
    customer_id,
    'meeting' as action_kind,
    null as survey_response_id,
    starts_at as acted_at

from meetings
