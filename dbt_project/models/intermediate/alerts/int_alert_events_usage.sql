{{ config(materialized='table') }}

with

complete_days as (

    select * from {{ ref('int_usage_complete_days') }}

),

paid as (

    select * from {{ ref('int_mrr_ranges') }}

    where mrr_amount > 0

),

-- Usage events are unknown beyond the newest day for which usage is complete.
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

    from {{ ref('int_onboarding_milestones') }} as milestones
    cross join complete_days

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
            else complete_days.complete_to
        end

),

unioned as (

    select
        customer_id,
        alert_event,
        concat_ws(':', alert_event, feature, last_date) as event_id,
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

    from {{ ref('int_usage_gaps') }}

    union all

    select
        customer_id,
        'onboarding_stuck' as alert_event,
        'onboarding_stuck:' || milestone as event_id,
        opened_date,
        closed_date,
        opened_date - signed_date as value,
        array['milestone:' || milestone] as evidence_ids,
        'the onboarding milestone ' || milestone || ' was not reached '
        || opened_date - signed_date || ' days after signing' as evidence

    from late

    union all

    select
        customer_id,
        'journey_stalled' as alert_event,
        'journey_stalled:' || stage as event_id,
        opened_date,
        exited_date as closed_date,
        stall_after_days + 1 as value,
        array['stage:' || stage] as evidence_ids,
        'the customer has been in the stage ' || stage || ' for longer than '
        || stall_after_days || ' days, the time that three quarters of those who'
        || ' stayed took' as evidence

    from {{ ref('int_journey_stalls') }}

    union all

    select
        billing_pages.customer_id,
        'billing_page_visits' as alert_event,
        'billing_page_visits:' || billing_pages.opened_date as event_id,
        billing_pages.opened_date,
        case
            when billing_pages.closed_date <= complete_days.complete_to
                then billing_pages.closed_date
        end as closed_date,
        billing_pages.most_visits as value,
        array['usage:' || billing_pages.opened_date] as evidence_ids,
        'the billing page was visited ' || billing_pages.most_visits || ' times within '
        || {{ policy('billing_page_days', 'int') }} || ' days' as evidence

    from {{ ref('int_billing_page_episodes') }} as billing_pages
    cross join complete_days

),

-- A customer without MRR on the day has nothing at risk.
events as (

    select * from unioned

    where
        exists (
            select 1 from paid
            where
                paid.customer_id = unioned.customer_id
                and unioned.opened_date >= paid.starts_date
                and unioned.opened_date < paid.ends_date
        )

)

{{ alert_events() }}
