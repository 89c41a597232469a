with

months as (

    select * from {{ ref('int_months') }}

),

kinds as (

    select * from (
        values ('month', 1), ('quarter', 3), ('year', 12)
    ) as kind (period, month_count)

),

-- Only complete periods. The first one may start before the first payment and then
-- opens without customers.
periods as (

    select
        kinds.period,
        kinds.month_count,
        date_trunc(kinds.period, months.month)::date as starts_date,
        max(months.closing_date) as closing_date

    from months
    cross join kinds

    group by
        kinds.period,
        kinds.month_count,
        date_trunc(kinds.period, months.month)

)

select
    period,
    month_count,
    starts_date,
    starts_date - 1 as opening_date,
    closing_date

from periods

where
    closing_date
    = (starts_date + make_interval(months => month_count) - interval '1 day')::date
