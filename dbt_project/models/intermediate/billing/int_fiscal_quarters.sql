with

months as (

    select
        month.day::date as starts_date,
        (month.day + interval '3 months')::date as ends_date,
        -- The fiscal year is named for the calendar year in which it ends.
        (
            month.day
            + make_interval(
                months => (13 - {{ policy('fiscal_year_start_month', 'int') }}) % 12
            )
        ) as shifted_at

    from generate_series(
        (
            select date_trunc('year', min(ranges.starts_date)) - interval '1 year'
            from {{ ref('int_mrr_ranges') }} as ranges
        ),
        {{ as_of() }}::timestamp,
        interval '1 month'
    ) as month (day)

)

select
    starts_date as quarter,
    ends_date,
    extract(year from shifted_at)::int as fiscal_year,
    extract(quarter from shifted_at)::int as fiscal_quarter,
    ends_date <= {{ as_of() }} + 1 as is_complete

from months

where extract(month from shifted_at)::int % 3 = 1
