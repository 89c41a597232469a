with

roles as (

    select
        *,
        bool_or(role = 'plan_owner') over (partition by customer_id) as has_plan_owner

    from {{ ref('int_contact_roles') }}

),

-- Without a named plan owner, the holder of the budget is the plan owner.
offices as (

    select
        customer_id,
        contact_id,
        starts_date,
        ends_known_date,
        case when role = 'champion' then role else 'plan_owner' end as office

    from roles

    where
        role in ('champion', 'plan_owner')
        or (role = 'economic_buyer' and not has_plan_owner)

),

-- Point-in-time: a gap begins on the day the departure was recorded.
covered as (

    select
        customer_id,
        office,
        range_agg(
            daterange(starts_date, ends_known_date)
        ) as days

    from offices

    group by customer_id, office

),

gaps as (

    select
        covered.customer_id,
        covered.office,
        gap.days as gap

    from covered
    cross join
        lateral unnest(
            datemultirange(daterange(lower(covered.days), {{ as_of() }} + 1))
            - covered.days
        ) as gap (days)

)

select
    gaps.customer_id,
    gaps.office as role,
    lower(gaps.gap) as opened_date,
    nullif(upper(gaps.gap), {{ as_of() }} + 1) as closed_date,
    array_agg(offices.contact_id order by offices.contact_id) as contact_ids

from gaps
inner join offices
    on
        gaps.customer_id = offices.customer_id
        and gaps.office = offices.office
        and lower(gaps.gap) = offices.ends_known_date

group by gaps.customer_id, gaps.office, gaps.gap
