{{ config(materialized='table') }}

with

used_calendars as (

    select distinct
        calendar,
        time_zone

    from {{ ref('int_customer_calendars') }}

),

hours as (

    select * from {{ ref('business_calendars') }}

),

holidays as (

    select * from {{ ref('holidays') }}

),

-- Two days after as_of, because time zones east of UTC are already in the next day.
days as (

    select day.day::date as local_date

    from generate_series(
        {{ policy('calendar_first_date', 'date') }}::timestamp,
        ({{ as_of() }} + 2)::timestamp,
        interval '1 day'
    ) as day (day)

),

openings as (

    select
        used_calendars.calendar,
        used_calendars.time_zone,
        days.local_date,
        case
            when holidays.date is null
                then
                    (days.local_date + hours.opens)
                    at time zone used_calendars.time_zone
        end as opens_at,
        case
            when holidays.date is null
                then
                    (days.local_date + hours.closes)
                    at time zone used_calendars.time_zone
        end as closes_at

    from used_calendars
    cross join days
    left join hours
        on
            used_calendars.calendar = hours.calendar
            and hours.weekday = extract(isodow from days.local_date)
    left join holidays
        on
            used_calendars.calendar = holidays.calendar
            and days.local_date = holidays.date

),

measured as (

    select
        *,
        coalesce(extract(epoch from closes_at - opens_at), 0)::bigint as open_seconds

    from openings

)

select
    *,
    (
        sum(open_seconds) over (
            partition by calendar, time_zone order by local_date
        ) - open_seconds
    )::bigint as seconds_before

from measured
