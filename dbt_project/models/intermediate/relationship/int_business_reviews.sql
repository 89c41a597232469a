{{ config(materialized='table') }}

with

review_sources as (

    select * from {{ ref('review_sources') }}

),

meetings as (

    select * from {{ ref('int_meetings') }}

),

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

tasks as (

    select * from {{ ref('stg_hubspot__tasks') }}

    where completed_at is not null

),

from_meetings as (

    select
        source,
        meeting_id as review_id,
        customer_id,
        csm_id,
        outcome,
        document_reference,
        review_sections,
        risk_tags,
        next_action,
        next_action_owner_id,
        has_document,
        has_decision_maker,
        next_action_due_date,
        meeting_date as review_date

    from meetings

    where
        exists (
            select 1 from review_sources
            where
                review_sources.record = 'meeting'
                and review_sources.source = meetings.source
                and case review_sources.field
                    when 'meeting_kind' then meetings.meeting_kind
                    when 'title' then meetings.title
                end ~* review_sources.pattern
        )

),

-- A finished task is a held review; its attendees are unknown.
from_tasks as (

    select
        'hubspot' as source,
        tasks.task_id as review_id,
        customer_keys.customer_id,
        tasks.owner_id as csm_id,
        'completed' as outcome,
        tasks.document_url as document_reference,
        null::jsonb as review_sections,
        null::jsonb as risk_tags,
        null as next_action,
        null as next_action_owner_id,
        tasks.document_url is not null as has_document,
        null::boolean as has_decision_maker,
        null::date as next_action_due_date,
        tasks.completed_at::date as review_date

    from tasks
    left join customer_keys on tasks.company_id = customer_keys.account_key

    where
        exists (
            select 1 from review_sources
            where
                review_sources.record = 'task'
                and review_sources.source = 'hubspot'
                and review_sources.field = 'subject'
                and tasks.subject ~* review_sources.pattern
        )

),

unioned as (

    select * from from_meetings

    union all

    select * from from_tasks

)

select
    *,
    outcome = 'completed' as is_held

from unioned

where customer_id is not null and review_date <= {{ as_of() }}
