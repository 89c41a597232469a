with

ranges as (

    select * from {{ ref('int_mrr_ranges') }}

),

-- Only complete months: a partial month would look like a decline.
months as (

    select
        month.day::date as month,
        (month.day - interval '1 day')::date as opening_date,
        (month.day + interval '1 month' - interval '1 day')::date as closing_date

    from generate_series(
        (select date_trunc('month', min(ranges.starts_date)) from ranges),
        date_trunc('month', {{ as_of() }} + 1) - interval '1 month',
        interval '1 month'
    ) as month (day)

)

select * from months
