with

months as (

    select * from {{ ref('int_months') }}

),

switches as (

    select * from {{ ref('int_mrr_policy_stages') }}

    where policy = 'default'

),

-- In force at the month's end but already cancelled.
cancelled as (

    select
        counted.customer_id,
        counted.currency,
        months.month,
        'cancelled' as part,
        sum(counted.mrr_amount)::numeric(18, 4) as amount

    from {{ ref('int_mrr_lines_counted') }} as counted
    inner join {{ ref('int_cancellations') }} as cancellations
        on
            counted.source = cancellations.source
            and counted.subscription_key = cancellations.subscription_key
            and counted.customer_id = cancellations.customer_id
    inner join months
        on
            counted.starts_date <= months.closing_date
            and (counted.ends_date is null or counted.ends_date > months.closing_date)
            and cancellations.requested_date <= months.closing_date

    where counted.policy = 'default'

    group by counted.customer_id, counted.currency, months.month

),

apart as (

    select
        lines.customer_id,
        lines.currency,
        months.month,
        case when lines.is_metered then 'usage' else 'trial' end as part,
        {{ monthly_amount('lines', 'switches') }} as amount

    from {{ ref('int_subscription_lines') }} as lines
    cross join switches
    inner join months
        on
            lines.starts_date <= months.closing_date
            and coalesce(
                least(
                    lines.next_starts_date, lines.period_ends_date, lines.ended_date
                ),
                'infinity'
            ) > months.closing_date

    where
        (lines.is_trial or lines.is_metered)
        and not lines.is_credit
        and not lines.is_paused

),

-- One-off fees, in the month from which they are owed.
one_off as (

    select
        customer_id,
        currency,
        date_trunc('month', charged_date)::date as month,
        'one_off' as part,
        sum(charged_amount)::numeric(18, 4) as amount

    from {{ ref('int_one_off_charges') }}

    group by customer_id, currency, date_trunc('month', charged_date)

)

select * from cancelled

union all

select * from apart

union all

select * from one_off
