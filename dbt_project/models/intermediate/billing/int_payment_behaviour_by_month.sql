with

months as (

    select * from {{ ref('int_months') }}

),

-- A written-off invoice counts as settled.
invoices as (

    select
        *,
        greatest(settled_date - due_date, 0) as days_late

    from {{ ref('int_invoices') }}

    where {{ is_due_invoice() }}

),

fx_rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

-- One row per invoice and month in which it was issued, settled or owed.
by_month as (

    select
        months.month,
        invoices.customer_id,
        count(*) filter (where invoices.issued_date >= months.month) as issued_invoices,
        count(*) filter (
            where invoices.issued_date >= months.month and invoices.failed_attempts > 0
        ) as failed_charges,
        count(*) filter (
            where invoices.settled_date between months.month and months.closing_date
        ) as settled_invoices,
        avg(invoices.days_late) filter (
            where invoices.settled_date between months.month and months.closing_date
        )::numeric(12, 2) as mean_days_late,
        max(invoices.days_late) filter (
            where invoices.settled_date between months.month and months.closing_date
        ) as max_days_late,
        count(*) filter (
            where invoices.due_date < months.closing_date
            and (
                invoices.settled_date is null
                or invoices.settled_date > months.closing_date
            )
        ) as overdue_invoices,
        max(months.closing_date - invoices.due_date) filter (
            where invoices.due_date < months.closing_date
            and (
                invoices.settled_date is null
                or invoices.settled_date > months.closing_date
            )
        ) as max_days_overdue,
        coalesce(
            sum((invoices.total_amount * fx_rates.fx_rate)::numeric(18, 4)) filter (
                where invoices.due_date < months.closing_date
                and (
                    invoices.settled_date is null
                    or invoices.settled_date > months.closing_date
                )
            ),
            0
        )::numeric(18, 4) as overdue_amount,
        sum(invoices.failed_attempts) is null as is_attempt_unknown

    from months
    inner join invoices
        on
            months.closing_date >= invoices.issued_date
            and months.month
            <= coalesce(
                invoices.settled_date,
                invoices.due_date + {{ policy('overdue_memory_days', 'int') }}
            )
    left join fx_rates
        on
            invoices.currency = fx_rates.currency
            and months.month = fx_rates.month

    group by months.month, invoices.customer_id

),

-- Compare with the customer's previous twelve months; each settled invoice counts once.
compared as (

    select
        *,
        (
            sum(mean_days_late * settled_invoices) over year_before
            / nullif(sum(settled_invoices) over year_before, 0)
        )::numeric(12, 2) as own_mean_days_late

    from by_month

    window
        year_before as (
            partition by customer_id order by month
            range between interval '12 months' preceding
            and interval '1 month' preceding
        )

)

select
    month,
    customer_id,
    issued_invoices,
    case when not is_attempt_unknown then failed_charges end as failed_charges,
    settled_invoices,
    mean_days_late,
    max_days_late,
    own_mean_days_late,
    (mean_days_late - own_mean_days_late)::numeric(12, 2) as days_late_change,
    overdue_invoices,
    max_days_overdue,
    overdue_amount

from compared
