{{ config(materialized='table') }}

with

reach as (

    select * from {{ ref('int_usage_reach') }}

),

paid as (

    select * from {{ ref('int_mrr_ranges') }}

    where mrr_amount > 0

),

gaps as (

    select * from {{ ref('int_usage_gaps') }}

),

milestones as (

    select * from {{ ref('int_onboarding_milestones') }}

),

stalls as (

    select * from {{ ref('int_journey_stalls') }}

),

billing_pages as (

    select * from {{ ref('int_billing_page_episodes') }}

),

-- What usage would tell is not known beyond the newest day it is complete for.
late as (

    select
        milestones.customer_id,
        milestones.milestone,
        milestones.signed_date,
        milestones.stuck_after_date + 1 as opened_date,
        least(
            milestones.reached_date,
            milestones.churned_date,
            milestones.signed_date + {{ policy('onboarding_max_days', 'int') }}
        ) as closed_date

    from milestones
    cross join reach

    where
        milestones.milestone != 'signed'
        and (
            milestones.reached_date is null
            or milestones.reached_date > milestones.stuck_after_date
        )
        and (
            milestones.churned_date is null
            or milestones.churned_date > milestones.stuck_after_date + 1
        )
        and milestones.stuck_after_date < case
            when milestones.milestone in ('kick_off', 'trained') then {{ as_of() }}
            else reach.complete_to
        end

),

unioned as (

    select
        customer_id,
        risk_event,
        concat_ws(':', risk_event, feature, last_date) as event_id,
        opened_date,
        next_date as closed_date,
        opened_date - last_date as value,
        array['usage:' || last_date] as evidence_ids,
        case
            when feature is null
                then 'nobody has used the product since ' || last_date
            else
                'the feature ' || feature
                || ' was in regular use and has not been used since ' || last_date
        end as evidence

    from gaps

    union all

    select
        customer_id,
        'onboarding_stuck' as risk_event,
        'onboarding_stuck:' || milestone as event_id,
        opened_date,
        case when closed_date <= {{ as_of() }} then closed_date end as closed_date,
        opened_date - signed_date as value,
        array['milestone:' || milestone] as evidence_ids,
        'the onboarding milestone ' || milestone || ' was not reached '
        || opened_date - signed_date || ' days after signing' as evidence

    from late

    union all

    select
        customer_id,
        'journey_stalled' as risk_event,
        'journey_stalled:' || stage as event_id,
        opened_date,
        exited_date as closed_date,
        stall_after_days + 1 as value,
        array['stage:' || stage] as evidence_ids,
        'the customer has been in the stage ' || stage || ' for longer than '
        || stall_after_days || ' days, the time that three quarters of those who'
        || ' stayed took' as evidence

    from stalls

    union all

    select
        billing_pages.customer_id,
        'billing_page_visits' as risk_event,
        'billing_page_visits:' || billing_pages.opened_date as event_id,
        billing_pages.opened_date,
        case
            when billing_pages.closed_date <= reach.complete_to
                then billing_pages.closed_date
        end as closed_date,
        billing_pages.most_visits as value,
        array['usage:' || billing_pages.opened_date] as evidence_ids,
        'the billing page was visited ' || billing_pages.most_visits || ' times within '
        || {{ policy('billing_page_days', 'int') }} || ' days' as evidence

    from billing_pages
    cross join reach

)

-- Who does not pay on the day is no customer at risk.
select
    customer_id,
    risk_event,
    event_id,
    opened_date,
    closed_date,
    value::numeric(18, 4) as value,
    evidence_ids,
    evidence

from unioned

where
    opened_date <= {{ as_of() }}
    and exists (
        select 1 from paid
        where
            paid.customer_id = unioned.customer_id
            and unioned.opened_date >= paid.starts_date
            and unioned.opened_date < paid.ends_date
    )
