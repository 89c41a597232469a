{{ config(materialized='table') }}

with

reached as (

    select * from {{ ref('int_milestones_reached') }}

),

limits as (

    select * from {{ ref('onboarding_milestones') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue') }}

),

signed as (

    select * from reached

    where milestone = 'signed'

),

meetings as (

    select * from {{ ref('int_meetings') }}

    where outcome = 'completed' and meeting_date <= {{ as_of() }}

),

entitled as (

    select distinct customer_id from {{ ref('int_entitlement_ranges') }}

),

-- A milestone that no source can measure is no failure of the customer: usage before
-- its collection, meeting kinds that are not recorded, seats that are not sold.
collected as (

    select
        'first_login' as milestone,
        collected_from

    from {{ ref('int_usage_complete_days') }}

    union all

    select
        case meeting_kind when 'training' then 'trained' else 'kick_off' end
            as milestone,
        min(meeting_date) as collected_from

    from meetings

    where meeting_kind in ('onboarding', 'training')

    group by meeting_kind

)

select
    signed.customer_id,
    limits.milestone,
    limits.place,
    limits.stage,
    reached.reached_date,
    signed.reached_date + limits.behind_after_days as behind_after_date,
    signed.reached_date + limits.stuck_after_days as stuck_after_date,
    signed.reached_date as signed_date,
    revenue.churned_date

from signed
inner join revenue on signed.customer_id = revenue.customer_id
cross join limits
left join entitled on signed.customer_id = entitled.customer_id
left join collected
    on
        case
            when limits.milestone in ('first_value', 'seats_active') then 'first_login'
            else limits.milestone
        end = collected.milestone
left join reached
    on
        signed.customer_id = reached.customer_id
        and limits.milestone = reached.milestone

where
    limits.milestone = 'signed'
    or (
        signed.reached_date >= collected.collected_from
        and (limits.milestone != 'seats_active' or signed.seats > 0)
        and (limits.milestone != 'first_value' or entitled.customer_id is not null)
    )
