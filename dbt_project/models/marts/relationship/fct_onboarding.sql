with

milestones as (

    select * from {{ ref('int_onboarding_milestones') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

-- A milestone reached on the day of its limit is in time.
per_customer as (

    select
        customer_id,
        signed_date,
        churned_date,
        count(*) - 1 as measured_milestones,
        count(reached_date) - 1 as reached_milestones,
        {%- for milestone in [
            'kick_off', 'first_login', 'first_value', 'trained', 'seats_active'
        ] %}
        max(reached_date) filter (where milestone = '{{ milestone }}')
            as {{ milestone }}_date,
        {%- endfor %}
        bool_or(milestone = 'first_value') as is_value_measured,
        bool_or(reached_date is null and stuck_after_date < {{ as_of() }}) as is_stuck,
        bool_or(reached_date is null and behind_after_date < {{ as_of() }})
            as is_behind,
        (
            array_agg(milestone order by place) filter (where reached_date is null)
        )[1] as next_milestone

    from milestones

    group by customer_id, signed_date, churned_date

)

select
    per_customer.customer_id,
    customers.segment,
    case
        when per_customer.next_milestone is null then 'completed'
        when
            per_customer.churned_date is not null
            or {{ as_of() }} - per_customer.signed_date
            > {{ policy('onboarding_max_days', 'int') }}
            then 'ended'
        when per_customer.is_stuck then 'stuck'
        when per_customer.is_behind then 'behind'
        else 'on_track'
    end as status,
    per_customer.next_milestone,
    per_customer.reached_milestones,
    per_customer.measured_milestones,
    per_customer.first_value_date - per_customer.signed_date as time_to_value_days,
    case
        when per_customer.is_value_measured
            then
                coalesce(
                    per_customer.first_value_date,
                    per_customer.churned_date,
                    {{ as_of() }}
                ) - per_customer.signed_date
    end as observed_days,
    per_customer.is_value_measured and per_customer.first_value_date is null
        as is_censored,
    per_customer.signed_date,
    per_customer.kick_off_date,
    per_customer.first_login_date,
    per_customer.first_value_date,
    per_customer.trained_date,
    per_customer.seats_active_date,
    per_customer.churned_date as ended_date,
    {{ as_of() }} as as_of_date

from per_customer
left join customers on per_customer.customer_id = customers.customer_id

-- Exclude customers that signed before any data was collected.
where per_customer.measured_milestones > 0
