with

customers as (

    select
        revenue.customer_id,
        revenue.first_paid_date as signed_date,
        coalesce(sum(seats.seats), 0) as seats

    from {{ ref('int_customer_revenue') }} as revenue
    left join {{ ref('int_seat_ranges') }} as seats
        on
            revenue.customer_id = seats.customer_id
            and revenue.first_paid_date >= seats.starts_date
            and revenue.first_paid_date < seats.ends_date

    group by revenue.customer_id, revenue.first_paid_date

),

meetings as (

    select * from {{ ref('int_meetings') }}

    where outcome = 'completed' and meeting_date <= {{ as_of() }}

),

entitlements as (

    select * from {{ ref('int_entitlement_ranges') }}

),

first_uses as (

    select * from {{ ref('int_first_uses') }}

),

first_days as (

    select
        customer_id,
        user_key,
        min(first_date) as first_date

    from first_uses

    group by customer_id, user_key

),

-- The first day of the nth user is the day on which n users are reached.
people as (

    select
        customer_id,
        'seats_active' as milestone,
        first_date,
        row_number() over (partition by customer_id order by first_date) as person

    from first_days

    where user_key is not null

    union all

    select
        first_uses.customer_id,
        'first_value' as milestone,
        first_uses.first_date,
        row_number() over (
            partition by first_uses.customer_id, first_uses.feature
            order by first_uses.first_date
        ) as person

    from first_uses
    inner join entitlements
        on
            first_uses.customer_id = entitlements.customer_id
            and first_uses.feature = entitlements.feature
            and first_uses.first_date >= entitlements.starts_date
            and first_uses.first_date < entitlements.ends_date

    where first_uses.user_key is not null

),

reached as (

    select
        customer_id,
        'signed' as milestone,
        signed_date as reached_date

    from customers

    union all

    select
        customer_id,
        'first_login' as milestone,
        min(first_date) as reached_date

    from first_days

    group by customer_id

    union all

    -- A customer with fewer seats than required users needs all its seats.
    select
        people.customer_id,
        people.milestone,
        min(people.first_date) as reached_date

    from people
    inner join customers on people.customer_id = customers.customer_id

    where
        people.person >= case
            when people.milestone = 'seats_active'
                then ceil(customers.seats * {{ policy('onboarding_seat_share') }})
            when customers.seats > 0
                then least(customers.seats, {{ policy('onboarding_value_users') }})
            else {{ policy('onboarding_value_users') }}
        end

    group by people.customer_id, people.milestone

    union all

    select
        meetings.customer_id,
        case meetings.meeting_kind when 'training' then 'trained' else 'kick_off' end
            as milestone,
        min(meetings.meeting_date) as reached_date

    from meetings
    inner join customers on meetings.customer_id = customers.customer_id

    where meetings.meeting_kind in ('onboarding', 'training')

    group by meetings.customer_id, meetings.meeting_kind

)

select
    reached.*,
    customers.seats

from reached
inner join customers on reached.customer_id = customers.customer_id
