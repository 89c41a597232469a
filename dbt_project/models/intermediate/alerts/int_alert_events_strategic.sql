{{ config(materialized='table') }}

with

-- Consecutive quarters with the same last contact are one event.
gaps as (

    select
        customer_id,
        'quarter_without_decision_maker' as alert_event,
        min(quarter) as quarter,
        count(*) as value,
        'no decision maker was met' as evidence

    from {{ ref('int_decision_maker_contact_by_quarter') }}

    where is_structural_problem

    group by customer_id, last_contact_date

    union all

    select
        customer_id,
        'quarter_without_review' as alert_event,
        min(quarter) as quarter,
        count(*) as value,
        'no business review was documented' as evidence

    from {{ ref('int_reviews_by_quarter') }}

    where not is_covered

    group by customer_id, last_documented_date

),

contacts as (

    select
        customer_id,
        'quarter_without_decision_maker' as alert_event,
        meeting_date as contact_date

    from {{ ref('int_decision_maker_meetings') }}

    where outcome = 'completed'

    union all

    select
        customer_id,
        'quarter_without_review' as alert_event,
        review_date as contact_date

    from {{ ref('int_business_reviews') }}

    where is_held and has_document

),

events as (

    select
        gaps.customer_id,
        gaps.alert_event,
        gaps.customer_id || ':' || gaps.quarter as event_id,
        (gaps.quarter + interval '3 months')::date - 1 as opened_date,
        min(contacts.contact_date) as closed_date,
        gaps.value,
        array[]::text[] as evidence_ids,
        gaps.evidence || ' in the quarter from ' || gaps.quarter as evidence

    from gaps
    left join contacts
        on
            gaps.customer_id = contacts.customer_id
            and gaps.alert_event = contacts.alert_event
            and contacts.contact_date >= gaps.quarter + interval '3 months'

    group by
        gaps.customer_id, gaps.alert_event, gaps.quarter, gaps.value, gaps.evidence

    union all

    select
        meetings.customer_id,
        vocabulary.canonical_value || '_noted' as alert_event,
        meetings.meeting_id as event_id,
        meetings.meeting_date as opened_date,
        meetings.meeting_date + {{ policy('risk_note_days', 'int') }} as closed_date,
        null as value,
        array[meetings.meeting_id] as evidence_ids,
        'a ' || replace(vocabulary.canonical_value, '_', ' ')
        || ' was noted in a meeting' as evidence

    from {{ ref('int_meetings') }} as meetings
    cross join
        lateral jsonb_array_elements_text(meetings.risk_tags) as noted (tag)
    inner join {{ ref('vocabulary') }} as vocabulary
        on
            vocabulary.field = 'risk_tag'
            and noted.tag = vocabulary.vendor_value
            and vocabulary.canonical_value in ('budget_risk', 'reorganization')

    where meetings.customer_id is not null

    union all

    select
        customer_id,
        'no_renewal_talk' as alert_event,
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
        'goal_missed' as alert_event,
        goal_id as event_id,
        least(closed_date, due_date) as opened_date,
        coalesce(closed_date, due_date) + {{ policy('risk_note_days', 'int') }}
            as closed_date,
        progress as value,
        array[goal_id] as evidence_ids,
        'a goal due on ' || due_date || ' was not reached' as evidence

    from {{ ref('int_goals') }}

    where
        customer_id is not null
        and coalesce(closed_date, due_date) <= {{ as_of() }}
        and (status = 'missed' or closed_date is null)

)

{{ alert_events() }}
