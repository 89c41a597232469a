{{ config(**rebuilt()) }}

with

lines as (

    select * from {{ ref('int_subscription_lines') }}

    where
        not is_paused
        and not is_metered
        and not is_credit
        and {{ is_to_rebuild('customer_id') }}

),

switches as (

    select * from {{ ref('int_mrr_policy_stages') }}

    where position = 0

)

select
    lines.source,
    lines.term_key,
    lines.subscription_key,
    lines.account_key,
    lines.product,
    lines.currency,
    {{ monthly_amount('lines', 'switches') }} as mrr_amount,
    lines.quantity,
    lines.unit,
    coalesce(
        lines.billing_period_months, round({{ months_of('lines', 'switches') }})::int
    ) as billing_period_months,
    lines.is_trial,
    lines.is_add_on,
    lines.is_upgrade,
    lines.is_downgrade,
    lines.auto_renews,
    lines.contract_ends_date,
    lines.starts_date,
    least(lines.next_starts_date, lines.period_ends_date, lines.ended_date)
        as ends_date,
    lines.customer_id

from lines
cross join switches
