{{ config(materialized='table') }}

with

customers as (

    select * from {{ ref('int_customers') }}

),

calendars as (

    select
        calendar,
        max(time_zone) as time_zone

    from {{ ref('business_calendars') }}

    group by calendar

),

-- A time zone unknown to Postgres would fail the build, so it counts as not stated.
known_zones as (

    select name as time_zone from pg_timezone_names

),

chosen as (

    select
        customers.customer_id,
        coalesce(calendars.calendar, 'default') as calendar,
        known_zones.time_zone as stated_time_zone

    from customers
    left join calendars on customers.country = calendars.calendar
    left join known_zones on customers.timezone = known_zones.time_zone

)

select
    chosen.customer_id,
    chosen.calendar,
    coalesce(chosen.stated_time_zone, calendars.time_zone) as time_zone,
    case
        when chosen.stated_time_zone is not null then 'stated'
        when chosen.calendar = 'default' then 'default'
        else 'country'
    end as time_zone_basis

from chosen
inner join calendars on chosen.calendar = calendars.calendar
