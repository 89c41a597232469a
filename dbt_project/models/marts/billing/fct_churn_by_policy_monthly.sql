with

policies as (

    select * from {{ ref('int_mrr_policies') }}

),

spans as (

    select * from {{ ref('int_customer_spans_by_policy') }}

),

months as (

    select * from {{ ref('int_months') }}

),

mrr as (

    select * from {{ ref('fct_mrr_by_policy_monthly') }}

),

customer_months as (

    select
        policies.policy,
        months.month,
        spans.customer_id,
        policies.churn_denominator,
        policies.same_month_join_and_leave = 'counted' as counts_joiners,
        policies.same_month_leave_and_return = 'counted' as counts_returners,
        bool_or(months.opening_date between spans.starts_date and spans.ends_date - 1)
            as is_open,
        bool_or(months.closing_date between spans.starts_date and spans.ends_date - 1)
            as is_close,
        bool_or(
            months.closing_date - 30 between spans.starts_date and spans.ends_date - 1
        ) as was_there_thirty_days_ago,
        count(*) filter (
            where spans.span_number = 1 and spans.starts_date > months.opening_date
        ) as new_count,
        count(*) filter (
            where
            spans.starts_date > months.opening_date
            and spans.gap_days >= policies.reactivation_gap_days
        ) as reactivation_count,
        count(*) filter (
            where
            spans.starts_date > months.opening_date
            and spans.gap_days < policies.reactivation_gap_days
        ) as resumption_count,
        count(*) filter (where spans.ends_date <= months.closing_date) as churn_count

    from spans
    inner join policies on spans.policy = policies.policy
    inner join months
        on
            spans.starts_date <= months.closing_date
            and spans.ends_date > months.opening_date

    group by
        policies.policy,
        months.month,
        spans.customer_id,
        policies.churn_denominator,
        policies.same_month_join_and_leave,
        policies.same_month_leave_and_return

),

counted as (

    select
        *,
        case
            when counts_returners then churn_count
            when is_close then 0
            else least(churn_count, 1)
        end
        * case when is_open or is_close or counts_joiners then 1 else 0 end
            as counted_churn

    from customer_months

),

customers as (

    select
        policy,
        month,
        count(*) filter (where is_open) as opening_customers,
        sum(new_count)::bigint as new_customers,
        sum(reactivation_count)::bigint as reactivated_customers,
        sum(resumption_count)::bigint as resumed_customers,
        sum(churn_count)::bigint as churned_customers,
        count(*) filter (where is_close) as closing_customers,
        sum(counted_churn)::bigint as counted_churned_customers,
        case min(churn_denominator)
            when 'opening' then count(*) filter (where is_open)
            when 'opening_and_new'
                then count(*) filter (where is_open) + sum(new_count)
            when 'thirty_days_ago'
                then count(*) filter (where was_there_thirty_days_ago)
        end::bigint as denominator_customers

    from counted

    group by policy, month

),

-- Lost and gained MRR at the rate of the month before, to exclude the FX effect.
moved as (

    select
        opening.policy,
        (opening.month + interval '1 month')::date as month,
        opening.mrr_reporting_amount,
        least(coalesce(closing.mrr_amount, 0) / opening.mrr_amount - 1, 0)
        * opening.mrr_reporting_amount as lost_amount,
        greatest(coalesce(closing.mrr_amount, 0) / opening.mrr_amount - 1, 0)
        * opening.mrr_reporting_amount as gained_amount

    from mrr as opening
    left join mrr as closing
        on
            opening.policy = closing.policy
            and opening.customer_id = closing.customer_id
            and opening.currency = closing.currency
            and (opening.month + interval '1 month')::date = closing.month

),

revenue as (

    select
        policy,
        month,
        -sum(lost_amount) / nullif(sum(mrr_reporting_amount), 0) as gross_rate,
        -sum(lost_amount + gained_amount) / nullif(sum(mrr_reporting_amount), 0)
            as net_rate

    from moved

    group by policy, month

)

select
    customers.policy,
    customers.month,
    customers.opening_customers,
    customers.new_customers,
    customers.reactivated_customers,
    customers.resumed_customers,
    customers.churned_customers,
    customers.closing_customers,
    customers.counted_churned_customers,
    customers.denominator_customers,
    (
        customers.counted_churned_customers::numeric
        / nullif(customers.denominator_customers, 0)
    )::numeric(9, 6) as customer_churn_rate,
    revenue.gross_rate::numeric(9, 6) as gross_mrr_churn_rate,
    revenue.net_rate::numeric(12, 6) as net_mrr_churn_rate

from customers
left join revenue
    on
        customers.policy = revenue.policy
        and customers.month = revenue.month
