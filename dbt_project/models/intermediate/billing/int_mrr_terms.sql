{{ config(**rebuilt()) }}

with

lines as (

    select * from {{ ref('int_mrr_lines_counted') }}

    where {{ is_to_rebuild('customer_id') }}

),

overdue as (

    select * from {{ ref('int_mrr_overdue_days') }}

),

in_order as (

    select
        *,
        max(coalesce(ends_date, 'infinity')) over (
            partition by policy, position, customer_id
            order by starts_date
            rows between unbounded preceding and 1 preceding
        ) as covered_until_date

    from lines

),

-- In a gap that the policy tolerates, the ended term continues until the next one
-- begins.
gaps as (

    select distinct
        policy,
        position,
        customer_id,
        covered_until_date as starts_date,
        starts_date as ends_date

    from in_order

    where
        starts_date > covered_until_date
        and starts_date - covered_until_date <= renewal_tolerance_days

),

renewed as (

    select
        in_order.*,
        coalesce(gaps.ends_date, in_order.ends_date) as renewed_date

    from in_order
    left join gaps
        on
            in_order.policy = gaps.policy
            and in_order.position = gaps.position
            and in_order.customer_id = gaps.customer_id
            and in_order.ends_date = gaps.starts_date

)

select
    renewed.policy,
    renewed.position,
    renewed.customer_id,
    renewed.currency,
    renewed.sold_unit,
    renewed.quantity,
    renewed.mrr_amount,
    renewed.rated_date,
    lower(span.days) as starts_date,
    upper(span.days) as ends_date

from renewed
left join overdue
    on
        renewed.policy = overdue.policy
        and renewed.position = overdue.position
        and renewed.source = overdue.source
        and renewed.subscription_key = overdue.subscription_key
cross join lateral unnest(
    datemultirange(daterange(renewed.starts_date, renewed.renewed_date))
    - coalesce(overdue.days, '{}')
) as span (days)
