with

champions as (

    select * from {{ ref('int_contact_roles') }}

    where role = 'champion'

),

-- Where a champion was noticed gone later than they left, the gap begins when noticed.
covered as (

    select
        customer_id,
        range_agg(
            daterange(starts_date, ends_known_date)
        ) as days

    from champions

    group by customer_id

),

gaps as (

    select
        covered.customer_id,
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
    lower(gaps.gap) as opened_date,
    nullif(upper(gaps.gap), {{ as_of() }} + 1) as closed_date,
    array_agg(champions.contact_id order by champions.contact_id) as contact_ids

from gaps
inner join champions
    on
        gaps.customer_id = champions.customer_id
        and lower(gaps.gap) = champions.ends_known_date

group by gaps.customer_id, gaps.gap
