with

lines as (

    select * from {{ ref('int_stripe_invoice_lines') }}

),

subscriptions as (

    select * from {{ ref('stg_stripe__subscriptions') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

intervals as (

    select * from {{ ref('billing_intervals') }}

),

-- An item is billed anew whenever a line of it starts: each start ends what ran before,
-- also when the new lines are only a credit, which means that the item was taken away.
starts as (

    select
        subscription_item_id,
        period_starts_at,
        lead(period_starts_at) over (
            partition by subscription_item_id order by period_starts_at
        ) as next_starts_at

    from lines

    group by subscription_item_id, period_starts_at

),

-- A proration line carries the rest of a period, so its amount says nothing about a
-- month: price, quantity and coupon do.
monthly as (

    select
        lines.*,
        lines.full_minor - case
            when not lines.is_proration then lines.discount_minor
            when lines.discount_minor > 0
                then lines.full_minor * lines.coupon_percent_off / 100
            else 0
        end as net_minor,
        lines.interval_count * intervals.months as months

    from lines
    inner join intervals on lines.billing_interval = intervals.billing_interval

    where lines.amount_minor >= 0

)

select
    'stripe' as source,
    monthly.invoice_id || ':' || monthly.line_number as term_key,
    monthly.subscription_id as subscription_key,
    monthly.stripe_customer_id as account_key,
    monthly.product,
    monthly.currency,
    (
        monthly.net_minor / power(10::numeric, currencies.exponent) / monthly.months
    )::numeric(18, 4) as mrr_amount,
    monthly.quantity::numeric(18, 4) as quantity,
    round(monthly.months)::int as billing_period_months,
    (monthly.net_minor / nullif(monthly.full_minor, 0))::numeric(9, 6) as price_share,
    coalesce(monthly.period_starts_at < subscriptions.trial_ends_at, false) as is_trial,
    monthly.period_starts_at::date as starts_date,
    least(
        starts.next_starts_at::date,
        monthly.period_ends_at::date,
        subscriptions.ended_at::date
    ) as ends_date

from monthly
inner join starts
    on
        monthly.subscription_item_id = starts.subscription_item_id
        and monthly.period_starts_at = starts.period_starts_at
left join subscriptions on monthly.subscription_id = subscriptions.subscription_id
left join currencies on monthly.currency = currencies.currency
