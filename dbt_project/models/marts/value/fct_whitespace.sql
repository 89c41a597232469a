with

-- Products that each customer pays for at the end of as_of, in its own currency.
owned as (

    select
        terms.customer_id,
        customers.segment,
        terms.product,
        sum((terms.mrr_amount * fx_rates.fx_rate)::numeric(18, 4))::numeric(18, 4)
            as mrr_amount

    from {{ ref('int_subscription_terms') }} as terms
    inner join {{ ref('int_customers') }} as customers
        on terms.customer_id = customers.customer_id
    left join {{ ref('int_fx_rates_monthly') }} as fx_rates
        on
            terms.currency = fx_rates.currency
            and fx_rates.month = date_trunc('month', {{ as_of() }})::date

    where
        not terms.is_trial
        and terms.mrr_amount > 0
        and terms.product is not null
        and terms.starts_date <= {{ as_of() }}
        and (terms.ends_date is null or terms.ends_date > {{ as_of() }})

    group by terms.customer_id, customers.segment, terms.product

),

peers as (

    select distinct
        customer_id,
        segment

    from owned

),

sizes as (

    select
        segment,
        count(*) as segment_customers

    from peers

    group by segment

),

norms as (

    select
        owned.segment,
        owned.product,
        sizes.segment_customers,
        count(*) as owners,
        (count(*) / sizes.segment_customers::numeric)::numeric(9, 6) as adoption_rate,
        percentile_cont(0.5) within group (order by owned.mrr_amount)::numeric(18, 4)
            as median_mrr_amount

    from owned
    inner join sizes on owned.segment = sizes.segment

    group by owned.segment, owned.product, sizes.segment_customers

)

-- A product that few customers of the segment own is no gap; a small segment has no
-- norm.
select
    peers.customer_id,
    norms.product,
    peers.segment,
    norms.segment_customers,
    norms.owners,
    norms.adoption_rate,
    norms.median_mrr_amount as potential_mrr_amount,
    {{ as_of() }} as as_of_date

from peers
inner join norms on peers.segment = norms.segment
left join owned
    on peers.customer_id = owned.customer_id and norms.product = owned.product

where
    owned.customer_id is null
    and norms.adoption_rate >= {{ policy('whitespace_min_adoption') }}
    and norms.segment_customers >= {{ policy('whitespace_min_customers', 'int') }}
