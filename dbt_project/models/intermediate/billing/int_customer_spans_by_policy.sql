{{ config(materialized='table') }}

with

policies as (

    select * from {{ ref('int_mrr_policies') }}

),

terms as (

    select * from {{ ref('int_mrr_terms') }}

),

lines as (

    select * from {{ ref('int_subscription_lines') }}

),

paid as (

    select
        policies.policy,
        terms.customer_id,
        terms.starts_date,
        terms.ends_date

    from terms
    inner join policies
        on
            terms.policy = policies.stage_policy
            and terms.position = policies.stage_position

    where terms.starts_date <= {{ as_of() }}

),

first_paid as (

    select
        policy,
        customer_id,
        min(starts_date) as starts_date

    from paid

    group by policy, customer_id

),

-- Some policies keep a customer that paid before and now has a free plan or a full
-- discount.
free as (

    select
        policies.policy,
        lines.customer_id,
        lines.starts_date,
        least(lines.next_starts_date, lines.period_ends_date, lines.ended_date)
            as ends_date

    from lines
    inner join policies
        on
            (lines.full_amount = 0 and policies.free_plan = 'active')
            or (
                lines.full_amount > 0
                and lines.discount_amount >= lines.full_amount
                and policies.full_discount = 'active'
            )
    inner join first_paid
        on
            policies.policy = first_paid.policy
            and lines.customer_id = first_paid.customer_id
            and lines.starts_date > first_paid.starts_date

    where
        not (lines.is_trial or lines.is_paused or lines.is_metered or lines.is_credit)
        and lines.starts_date <= {{ as_of() }}

),

held as (

    select * from paid

    union all

    select * from free

),

in_order as (

    select
        *,
        max(coalesce(ends_date, 'infinity')) over (
            partition by policy, customer_id
            order by starts_date
            rows between unbounded preceding and 1 preceding
        ) as covered_until_date

    from held

    where ends_date is null or ends_date > starts_date

),

numbered as (

    select
        *,
        count(*) filter (
            where covered_until_date is null or starts_date > covered_until_date
        ) over (partition by policy, customer_id order by starts_date)
            as span_number

    from in_order

),

spans as (

    select
        policy,
        customer_id,
        span_number,
        min(starts_date) as starts_date,
        case
            when max(coalesce(ends_date, 'infinity')) <= {{ as_of() }}
                then max(ends_date)
            else 'infinity'
        end as ends_date,
        min(starts_date)
        - max(covered_until_date) filter (where covered_until_date < starts_date)
            as gap_days

    from numbered

    group by policy, customer_id, span_number

)

select * from spans
