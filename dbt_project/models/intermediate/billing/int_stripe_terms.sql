{%- set is_full_refresh = (increment_plan() is none) | lower %}

with

identities as (

    select * from {{ ref('int_customer_identities') }}

    where source = 'stripe' and {{ is_to_rebuild('customer_id') }}

),

-- An incremental build reads only the customers to rebuild, with all lines of their
-- items.
lines as (

    select * from {{ ref('int_stripe_invoice_lines') }}

    where
        is_recurring
        and (
            {{ is_full_refresh }}
            or stripe_customer_id
            = any(array(select identities.source_key from identities))
        )

),

neighbours as (

    select * from {{ ref('int_stripe_invoice_lines') }}

    where
        is_recurring
        and (
            {{ is_full_refresh }}
            or subscription_item_id
            = any(array(select distinct lines.subscription_item_id from lines))
        )

),

-- A new line of an item ends the term before it. If the new lines are only a credit,
-- the item was removed.
starts as (

    select
        subscription_item_id,
        period_starts_at,
        lead(period_starts_at) over item_in_order as next_starts_at,
        min(case when bool_or(not is_proration) then period_starts_at end) over (
            item_in_order rows between 1 following and unbounded following
        ) as next_period_starts_at

    from neighbours

    where not is_void and not is_metered

    group by subscription_item_id, period_starts_at

    window
        item_in_order as (
            partition by subscription_item_id order by period_starts_at
        )

),

-- A proration line bills part of a period, so MRR comes from price, quantity and
-- coupon, not from its amount. A void invoice is a pause, unless another invoice
-- replaced it; then it is ignored.
valued as (

    select
        lines.*,
        case
            when not lines.is_proration then lines.discount_minor
            when lines.discount_minor > 0
                then
                    coalesce(
                        lines.full_minor * lines.coupon_percent_off / 100,
                        lines.discount_minor
                    )
            else 0
        end as full_discount_minor,
        lines.is_proration and lines.amount_minor < 0 as is_credit,
        power(10::numeric, currencies.exponent) as minor_units,
        starts.next_starts_at,
        starts.next_period_starts_at

    from lines
    left join starts
        on
            lines.subscription_item_id = starts.subscription_item_id
            and lines.period_starts_at = starts.period_starts_at
    left join {{ ref('currencies') }} as currencies
        on lines.currency = currencies.currency

    where starts.subscription_item_id is null or not lines.is_void

)

select
    'stripe' as source,
    valued.invoice_id || ':' || valued.line_number as term_key,
    valued.subscription_id as subscription_key,
    valued.subscription_item_id as item_key,
    valued.stripe_customer_id as account_key,
    valued.product,
    valued.currency,
    valued.quantity::numeric(18, 4) as quantity,
    valued.billing_interval,
    valued.interval_count,
    (valued.full_minor / valued.minor_units)::numeric(24, 8) as full_amount,
    (valued.full_discount_minor / valued.minor_units)::numeric(24, 8)
        as discount_amount,
    ((valued.amount_minor - valued.discount_minor) / valued.minor_units)::numeric(
        24, 8
    ) as billed_amount,
    (valued.added_tax_minor / valued.minor_units)::numeric(24, 8) as added_tax_amount,
    (valued.included_tax_minor / valued.minor_units)::numeric(24, 8)
        as included_tax_amount,
    valued.discount_kind,
    valued.is_line_discount,
    coalesce(valued.period_starts_at < subscriptions.trial_ends_at, false) as is_trial,
    valued.is_void as is_paused,
    valued.is_metered,
    valued.is_proration,
    valued.is_credit,
    valued.period_starts_at::date as starts_date,
    valued.next_starts_at::date as next_starts_date,
    valued.next_period_starts_at::date as next_period_date,
    valued.period_ends_at::date as period_ends_date,
    subscriptions.ended_at::date as ended_date

from valued
left join {{ ref('stg_stripe__subscriptions') }} as subscriptions
    on valued.subscription_id = subscriptions.subscription_id
