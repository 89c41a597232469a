with

parts as (

    select
        customer_id,
        currency,
        month,
        'mrr' as part,
        closing_amount as amount

    from {{ ref('int_mrr_by_month') }}

    union all

    select *  -- noqa: AM04
    from {{ ref('int_mrr_parts_by_month') }}

),

summed as (

    select
        parts.customer_id,
        parts.currency,
        parts.month,
        coalesce(sum(parts.amount) filter (where parts.part = 'mrr'), 0)
        ::numeric(18, 4) as mrr_amount,
        coalesce(sum(parts.amount) filter (where parts.part = 'cancelled'), 0)
        ::numeric(18, 4) as cancelled_amount,
        coalesce(sum(parts.amount) filter (where parts.part = 'trial'), 0)
        ::numeric(18, 4) as trial_amount,
        coalesce(sum(parts.amount) filter (where parts.part = 'usage'), 0)
        ::numeric(18, 4) as usage_amount,
        coalesce(sum(parts.amount) filter (where parts.part = 'one_off'), 0)
        ::numeric(18, 4) as one_off_amount

    from parts
    inner join {{ ref('int_months') }} as months on parts.month = months.month

    group by parts.customer_id, parts.currency, parts.month

)

-- MRR may include a tolerated gap at a renewal, which has no line: keep it above zero.
select
    month,
    customer_id,
    currency,
    mrr_amount,
    (mrr_amount - least(mrr_amount, cancelled_amount))::numeric(18, 4)
        as committed_mrr_amount,
    trial_amount as trial_mrr_amount,
    usage_amount as usage_mrr_amount,
    one_off_amount as one_off_billed_amount

from summed

where
    mrr_amount != 0
    or trial_amount != 0
    or usage_amount != 0
    or one_off_amount != 0
