with

responses as (

    select * from {{ ref('int_survey_responses') }}

    where
        customer_id is not null and is_valid and answered_date <= {{ as_of() }}

),

-- Complete months only: a partial month would always look like a decline.
months as (

    select
        customer_id,
        date_trunc('month', event_date)::date as month,
        sum(event_count) as event_count

    from {{ ref('int_usage_daily') }}

    where
        customer_id is not null
        and event_date < date_trunc('month', {{ as_of() }} + 1)

    group by 1, 2

),

compared as (

    select
        *,
        lag(event_count) over customer_months as count_before,
        lag(month) over customer_months as month_before

    from months

    window customer_months as (partition by customer_id order by month)

)

select
    customer_id,
    answered_date as event_date,
    'survey' as source,
    'happened' as part,
    survey || '_answer' as kind,
    upper(survey) || ' answer ' || trim_scale(score) || ' of ' || trim_scale(scale_max)
    || coalesce(' from a ' || replace(contact_role, '_', ' '), '') as sentence,
    array['response:' || response_id] as evidence_ids

from responses

union all

-- Report changes of at least 25 %. Below the minimum event count of the policy, such
-- changes occur by chance.
select
    customer_id,
    (month + interval '1 month')::date - 1 as event_date,
    'usage' as source,
    'happened' as part,
    'usage_change' as kind,
    'usage in ' || to_char(month, 'FMMonth YYYY') || ' was '
    || round(event_count * 100 / count_before) || ' % of the month before' as sentence,
    array['usage:' || to_char(month, 'YYYY-MM')] as evidence_ids

from compared

where
    month_before = (month - interval '1 month')::date
    and count_before >= {{ policy('usage_trend_min_events', 'int') }}
    and abs(event_count - count_before) * 4 >= count_before
