{{ config(materialized='table') }}

with

quarters as (

    select * from {{ ref('int_paying_customers_by_quarter') }}

),

meetings as (

    select * from {{ ref('int_decision_maker_meetings') }}

    where outcome = 'completed'

),

roles as (

    select * from {{ ref('int_contact_roles') }}

    where role = 'decision_maker'

),

contacts as (

    select
        quarters.quarter,
        quarters.customer_id,
        count(*) filter (where quarters.quarter <= meetings.meeting_date)
            as contacts,
        array_agg(meetings.meeting_id order by meetings.starts_at, meetings.meeting_id)
        filter (where quarters.quarter <= meetings.meeting_date) as meeting_ids,
        max(meetings.meeting_date) as last_contact_date

    from quarters
    inner join meetings
        on
            quarters.customer_id = meetings.customer_id
            and quarters.next_quarter > meetings.meeting_date

    group by quarters.quarter, quarters.customer_id

),

people as (

    select
        quarters.quarter,
        quarters.customer_id,
        count(distinct roles.contact_id) as decision_makers

    from quarters
    inner join roles
        on
            quarters.customer_id = roles.customer_id
            and quarters.next_quarter > roles.starts_date
            and quarters.next_quarter <= coalesce(roles.ends_date, date 'infinity')

    group by quarters.quarter, quarters.customer_id

)

-- A new customer is still in handover: count it, but leave its flag null.
select
    quarters.quarter,
    quarters.customer_id,
    quarters.segment,
    quarters.csm_id,
    (quarters.mrr_reporting_amount * 12)::numeric(18, 4) as arr_amount,
    coalesce(contacts.contacts, 0) as decision_maker_contacts,
    coalesce(people.decision_makers, 0) as decision_makers,
    coalesce(contacts.meeting_ids, array[]::text[]) as evidence_ids,
    quarters.age_days >= {{ policy('contact_min_age_days', 'int') }} as is_measured,
    case
        when quarters.age_days >= {{ policy('contact_min_age_days', 'int') }}
            then coalesce(contacts.contacts, 0) = 0
    end as is_structural_problem,
    contacts.last_contact_date

from quarters
left join contacts
    on
        quarters.quarter = contacts.quarter
        and quarters.customer_id = contacts.customer_id
left join people
    on
        quarters.quarter = people.quarter
        and quarters.customer_id = people.customer_id
