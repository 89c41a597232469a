with

visits as (

    select
        customer_id,
        event_date,
        sum(event_count) as visit_count

    from {{ ref('int_usage') }}

    where
        customer_id is not null
        and event_date <= {{ as_of() }}
        and feature ~* {{ policy('billing_page_pattern', 'text') }}

    group by customer_id, event_date

),

-- A visit counts from its day for the number of days set by the policy.
steps as (

    select
        visits.customer_id,
        visits.visit_count * turn.sign as step,
        visits.event_date
        + turn.windows * {{ policy('billing_page_days', 'int') }} as step_date

    from visits
    cross join (values (1, 0), (-1, 1)) as turn (sign, windows)

),

counted as (

    select
        customer_id,
        step_date,
        sum(sum(step)) over (partition by customer_id order by step_date)
            as recent_visits

    from steps

    group by customer_id, step_date

),

judged as (

    select
        *,
        recent_visits > {{ policy('billing_page_visits', 'int') }} as is_high

    from counted

),

-- An episode ends on the first day with a count within the limit.
numbered as (

    select
        *,
        count(*) filter (where not is_high) over (
            partition by customer_id order by step_date
        ) as quiet_days

    from judged

),

episodes as (

    select
        customer_id,
        max(recent_visits) as most_visits,
        min(step_date) as opened_date,
        quiet_days

    from numbered

    where is_high

    group by customer_id, quiet_days

)

select
    episodes.customer_id,
    episodes.most_visits,
    episodes.opened_date,
    numbered.step_date as closed_date

from episodes
inner join numbered
    on
        episodes.customer_id = numbered.customer_id
        and episodes.quiet_days + 1 = numbered.quiet_days

where not numbered.is_high
