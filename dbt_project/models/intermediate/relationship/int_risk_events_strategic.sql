{{ config(materialized='table') }}

with

held as (

    select
        customer_id,
        meeting_date

    from {{ ref('int_decision_maker_meetings') }}

    where outcome = 'completed'

),

-- Quarters in a row with the same last contact are one silence.
without_contact as (

    select
        customer_id,
        min(quarter) as quarter,
        (min(quarter) + interval '3 months' - interval '1 day')::date as opened_date,
        count(*)::numeric(18, 4) as value

    from {{ ref('fct_decision_maker_contact_quarterly') }}

    where is_structural_problem

    group by customer_id, last_contact_date

),

without_review as (

    select
        customer_id,
        min(quarter) as quarter,
        (min(quarter) + interval '3 months' - interval '1 day')::date as opened_date,
        count(*)::numeric(18, 4) as value

    from {{ ref('fct_uncovered_customers_quarterly') }}

    group by customer_id, last_documented_date

),

documented as (

    select
        customer_id,
        review_date

    from {{ ref('int_business_reviews') }}

    where is_held and has_document

),

tagged as (

    select
        meetings.customer_id,
        vocabulary.canonical_value as tag,
        meetings.meeting_id,
        meetings.meeting_date

    from {{ ref('int_meetings') }} as meetings
    cross join
        lateral jsonb_array_elements_text(meetings.risk_tags) as noted (tag)
    inner join {{ ref('vocabulary') }} as vocabulary
        on
            vocabulary.field = 'risk_tag'
            and noted.tag = vocabulary.vendor_value
            and vocabulary.canonical_value in ('budget_risk', 'reorganization')

    where meetings.customer_id is not null and meetings.meeting_date <= {{ as_of() }}

),

goals as (

    select * from {{ ref('int_goals') }}

    where
        customer_id is not null
        and coalesce(closed_date, due_date) <= {{ as_of() }}
        and (
            status = 'missed' or (closed_date is null and due_date <= {{ as_of() }})
        )

),

events as (

    select
        customer_id,
        'quarter_without_decision_maker' as risk_event,
        customer_id || ':' || quarter as event_id,
        opened_date,
        (
            select min(held.meeting_date) from held
            where
                held.customer_id = without_contact.customer_id
                and held.meeting_date > without_contact.opened_date
        ) as closed_date,
        value,
        array[]::text[] as evidence_ids,
        'no decision maker was met in the quarter from ' || quarter as evidence

    from without_contact

    union all

    select
        customer_id,
        'quarter_without_review' as risk_event,
        customer_id || ':' || quarter as event_id,
        opened_date,
        (
            select min(documented.review_date) from documented
            where
                documented.customer_id = without_review.customer_id
                and documented.review_date > without_review.opened_date
        ) as closed_date,
        value,
        array[]::text[] as evidence_ids,
        'no business review was documented in the quarter from ' || quarter as evidence

    from without_review

    union all

    select
        customer_id,
        tag || '_noted' as risk_event,
        meeting_id as event_id,
        meeting_date as opened_date,
        meeting_date + {{ policy('risk_note_days', 'int') }} as closed_date,
        null as value,
        array[meeting_id] as evidence_ids,
        'a ' || replace(tag, '_', ' ') || ' was noted in a meeting' as evidence

    from tagged

    union all

    select
        customer_id,
        'no_renewal_talk' as risk_event,
        customer_id || ':' || renewal_date as event_id,
        opened_date,
        closed_date,
        null as value,
        array[]::text[] as evidence_ids,
        'no talk about the renewal of ' || renewal_date || ' was logged' as evidence

    from {{ ref('int_renewals_without_talk') }}

    union all

    select
        customer_id,
        'goal_missed' as risk_event,
        goal_id as event_id,
        least(closed_date, due_date) as opened_date,
        coalesce(closed_date, due_date) + {{ policy('risk_note_days', 'int') }}
            as closed_date,
        progress::numeric(18, 4) as value,
        array[goal_id] as evidence_ids,
        'a goal due on ' || due_date || ' was not reached' as evidence

    from goals

)

select
    customer_id,
    risk_event,
    event_id,
    opened_date,
    case when closed_date <= {{ as_of() }} then closed_date end as closed_date,
    value::numeric(18, 4) as value,
    evidence_ids,
    evidence

from events
