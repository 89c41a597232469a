-- One row per event date, account, user, subscription and feature of the touched days.
--
-- In: events (event_id, event_date, account_key, user_key, subscription_key, feature,
-- occurred_at, received_at, units), where every event of a touched day is there, and every
-- event of another day that shares an id with one; touched_days (event_date).
-- DuckDB runs it on one machine, Spark SQL on a cluster: keep to what both understand.
with

resent_ids as (

    select event_id
    from events
    group by event_id
    having count(*) > 1

),

-- What was received last counts. Equal arrival times are decided by the content, so that the
-- order of the files never shows.
ranked as (

    select
        events.*,
        row_number() over (
            partition by events.event_id
            order by
                events.received_at desc,
                events.occurred_at desc,
                events.account_key asc,
                events.user_key asc,
                events.subscription_key asc,
                events.feature asc,
                events.units desc nulls last
        ) as place
    from events
    inner join resent_ids on events.event_id = resent_ids.event_id

),

deduplicated as (

    select
        event_date,
        account_key,
        user_key,
        subscription_key,
        feature,
        occurred_at,
        units
    from events
    where not exists (
        select 1 from resent_ids where resent_ids.event_id = events.event_id
    )

    union all

    select
        event_date,
        account_key,
        user_key,
        subscription_key,
        feature,
        occurred_at,
        units
    from ranked
    where place = 1

)

select
    deduplicated.event_date,
    deduplicated.account_key,
    deduplicated.user_key,
    deduplicated.subscription_key,
    deduplicated.feature,
    count(*) as events,
    sum(deduplicated.units) as units,
    min(deduplicated.occurred_at) as first_at,
    max(deduplicated.occurred_at) as last_at
from deduplicated
inner join touched_days on deduplicated.event_date = touched_days.event_date
group by
    deduplicated.event_date,
    deduplicated.account_key,
    deduplicated.user_key,
    deduplicated.subscription_key,
    deduplicated.feature
order by deduplicated.event_date
