with

items as (

    select * from {{ ref('int_feedback_items') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

-- A month counts once the following month has ended.
months as (

    select
        month.at::date as month,
        (month.at + interval '1 month')::date as next_month,
        (month.at + interval '2 months')::date as closed_date

    from generate_series(
        (select date_trunc('month', min(items.raised_date)) from items),
        date_trunc('month', {{ as_of() }} + 1) - interval '2 months',
        interval '1 month'
    ) as month (at)

),

staged as (

    select
        months.month,
        customers.segment,
        items.*,
        items.implemented_date < months.closed_date as is_implemented_by_then,
        items.implemented_date >= months.next_month
        and items.implemented_date < months.closed_date as is_implemented_next_month,
        {{ as_of() }} - items.raised_date as age_days,
        bool_or(items.implemented_date is not null) over (partition by items.source)
            as is_tracked

    from items
    inner join months
        on date_trunc('month', items.raised_date)::date = months.month
    inner join customers on items.customer_id = customers.customer_id

),

counted as (

    select
        month,
        coalesce(segment, 'all') as segment,
        count(*) as raised_items,
        count(distinct customer_id) as raising_customers,
        count(*) filter (where prioritized_date is not null) as prioritized_items,
        count(*) filter (where is_tracked) as tracked_items,
        count(*) filter (where is_implemented_next_month)
            as implemented_next_month_items,
        count(*) filter (where is_implemented_by_then)
            as implemented_by_next_month_end_items,
        count(*) filter (where implemented_date is not null) as implemented_items,
        count(*) filter (
            where implemented_date is not null and informed_date is not null
        ) as informed_items,
        count(*) filter (where implemented_date is null) as open_items,
        count(*) filter (
            where
            implemented_date is null
            and age_days > {{ policy('feedback_age_days', 'int') }}
        ) as old_items,
        (
            percentile_cont(0.5) within group (
                order by implemented_date - raised_date
            )
        )::numeric(8, 1) as median_days_to_implement,
        (
            percentile_cont(0.5) within group (
                order by informed_date - implemented_date
            )
        )::numeric(8, 1) as median_days_to_inform

    from staged

    group by grouping sets ((month), (month, segment))

)

-- A source that never marks an item as implemented has no such date: its items are not
-- tracked and have no rate.
select
    month,
    segment,
    raised_items,
    raising_customers,
    prioritized_items,
    tracked_items,
    implemented_next_month_items,
    implemented_by_next_month_end_items,
    (
        implemented_next_month_items::numeric / nullif(tracked_items, 0)
    )::numeric(9, 6) as implemented_next_month_rate,
    (
        implemented_by_next_month_end_items::numeric / nullif(tracked_items, 0)
    )::numeric(9, 6) as implemented_by_next_month_end_rate,
    implemented_items,
    informed_items,
    (informed_items::numeric / nullif(implemented_items, 0))::numeric(9, 6)
        as informed_rate,
    open_items,
    old_items,
    median_days_to_implement,
    median_days_to_inform

from counted
