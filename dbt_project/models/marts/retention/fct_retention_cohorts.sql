with

months as (

    select * from {{ ref('int_months') }}

),

firsts as (

    select
        customer_id,
        min(movement_date) as first_date

    from {{ ref('int_mrr_movements') }}

    group by customer_id

),

mrr_by_month as (

    select * from {{ ref('int_mrr_by_month') }}

),

fx_rates as (

    select * from {{ ref('int_fx_rates_monthly') }}

),

attributes as (

    select * from {{ ref('int_customer_attribute_ranges') }}

),

-- Month of the first payment and segment at its end; a later change of segment does not
-- move a customer to another cohort.
members as (

    select
        firsts.customer_id,
        months.month as cohort_month,
        attributes.segment

    from firsts
    inner join months on date_trunc('month', firsts.first_date)::date = months.month
    inner join attributes
        on
            firsts.customer_id = attributes.customer_id
            and months.closing_date >= attributes.starts_date
            and (
                attributes.ends_date is null
                or months.closing_date < attributes.ends_date
            )

),

-- At the exchange rate of the cohort's own month, to exclude the FX effect.
paid as (

    select
        members.cohort_month,
        members.segment,
        members.customer_id,
        mrr_by_month.month,
        sum((mrr_by_month.closing_amount * fx_rates.fx_rate)::numeric(18, 4)) as amount

    from members
    inner join mrr_by_month on members.customer_id = mrr_by_month.customer_id
    left join fx_rates
        on
            mrr_by_month.currency = fx_rates.currency
            and members.cohort_month = fx_rates.month

    where mrr_by_month.closing_amount > 0

    group by
        members.cohort_month,
        members.segment,
        members.customer_id,
        mrr_by_month.month

),

cohorts as (

    select
        cohort_month,
        coalesce(segment, 'all') as segment,
        count(*) as cohort_customers

    from members

    group by grouping sets ((cohort_month), (cohort_month, segment))

),

sums as (

    select
        cohort_month,
        coalesce(segment, 'all') as segment,
        month,
        count(*) as retained_customers,
        sum(amount)::numeric(18, 4) as retained_amount

    from paid

    group by grouping sets ((cohort_month, month), (cohort_month, month, segment))

)

select
    cohorts.cohort_month,
    cohorts.segment,
    age.months as age_months,
    cell.month is not null as is_observed,
    cohorts.cohort_customers,
    first_sums.retained_amount as cohort_amount,
    -- An observed age without retained customers is zero; a future age is null.
    case when cell.month is not null then coalesce(sums.retained_customers, 0) end
        as retained_customers,
    case
        when cell.month is not null then coalesce(sums.retained_amount, 0)
    end::numeric(18, 4) as retained_amount,
    case
        when cell.month is not null
            then
                coalesce(sums.retained_customers, 0)::numeric
                / cohorts.cohort_customers
    end::numeric(9, 6) as logo_retention_rate,
    case
        when cell.month is not null
            then
                coalesce(sums.retained_amount, 0)
                / nullif(first_sums.retained_amount, 0)
    end::numeric(12, 6) as net_revenue_retention_rate

from cohorts
cross join
    lateral generate_series(0, (select count(*)::int - 1 from months)) as age (months)
left join months as cell
    on cell.month = (cohorts.cohort_month + make_interval(months => age.months))::date
left join sums
    on
        cohorts.cohort_month = sums.cohort_month
        and cohorts.segment = sums.segment
        and cell.month = sums.month
left join sums as first_sums
    on
        cohorts.cohort_month = first_sums.cohort_month
        and cohorts.segment = first_sums.segment
        and cohorts.cohort_month = first_sums.month
