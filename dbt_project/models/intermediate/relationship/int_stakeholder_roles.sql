with

customer_days as (

    select * from {{ ref('int_stakeholder_days') }}

),

roles as (

    select * from {{ ref('int_contact_roles') }}

    where role in ('decision_maker', 'economic_buyer', 'champion')

),

champions as (

    select distinct contact_id from roles

    where role = 'champion'

),

-- Product usage keeps a champion active even without a meeting.
usage_days as (

    select distinct
        usage.customer_id,
        usage.user_key as contact_id,
        usage.event_date

    from {{ ref('int_usage') }} as usage
    inner join champions on usage.user_key = champions.contact_id

),

champion_use as (

    select
        customer_days.as_of_date,
        customer_days.customer_id,
        max(usage_days.event_date) as last_use_date

    from customer_days
    inner join usage_days
        on
            customer_days.customer_id = usage_days.customer_id
            and customer_days.as_of_date >= usage_days.event_date
            and customer_days.as_of_date - {{ policy('champion_active_days', 'int') }}
            < usage_days.event_date

    group by customer_days.as_of_date, customer_days.customer_id

),

counted as (

    select
        customer_days.as_of_date,
        customer_days.customer_id,
        count(*) filter (
            where
            roles.role = 'champion'
            and (
                roles.ends_date is null or customer_days.as_of_date < roles.ends_date
            )
        ) as champions,
        count(*) filter (
            where
            roles.ends_known_date <= customer_days.as_of_date
            and roles.ends_known_date
            > customer_days.as_of_date - {{ policy('key_person_days', 'int') }}
        ) as key_people_left,
        count(*) filter (
            where
            roles.role != 'champion'
            and roles.starts_date
            > customer_days.as_of_date - {{ policy('key_person_days', 'int') }}
            and roles.starts_date
            > customer_days.first_role_date + {{ policy('key_person_days', 'int') }}
        ) as new_buyers

    from customer_days
    inner join roles
        on
            customer_days.customer_id = roles.customer_id
            and customer_days.as_of_date >= roles.starts_date

    group by customer_days.as_of_date, customer_days.customer_id

)

select
    counted.*,
    champion_use.last_use_date as last_champion_use_date

from counted
left join champion_use
    on
        counted.as_of_date = champion_use.as_of_date
        and counted.customer_id = champion_use.customer_id
