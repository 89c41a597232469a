-- The ranges of a customer must be contiguous without overlap, with one open range.
with

ranges as (

    select
        *,
        lead(starts_date) over (
            partition by customer_id order by starts_date
        ) as next_starts_date

    from {{ ref('int_customer_attribute_ranges') }}

),

wrong as (

    select customer_id from ranges

    where ends_date is distinct from next_starts_date

    union all

    select customers.customer_id
    from {{ ref('int_customers') }} as customers
    left join ranges
        on
            customers.customer_id = ranges.customer_id
            and ranges.starts_date <= {{ as_of() }}
            and ranges.ends_date is null

    group by customers.customer_id

    having count(ranges.customer_id) != 1

)

select * from wrong
