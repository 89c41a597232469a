{{ config(tags=['statistics']) }}

with

revenue as (

    select * from {{ ref('int_customer_revenue') }}

),

criteria as (

    select * from {{ ref('fit_criteria') }}

),

attributes as (

    select * from {{ ref('int_customer_attribute_ranges') }}

),

values_today as (

    select * from {{ ref('fct_customer_value') }}

),

segments as (

    select * from {{ ref('fct_segment_value') }}

),

opening as (

    select
        revenue.customer_id,
        sum(spans.mrr_reporting_amount) as opening_mrr_amount

    from revenue
    inner join {{ ref('int_mrr_spans') }} as spans
        on
            revenue.customer_id = spans.customer_id
            and revenue.first_paid_date = spans.valid_from

    group by revenue.customer_id

),

-- Attributes on the signing day, not today's.
signed as (

    select
        revenue.customer_id,
        revenue.first_paid_date as signed_date,
        lifetimes.entry_days = 0 as is_signing_seen,
        attributes.segment,
        attributes.industry,
        attributes.region,
        attributes.plan,
        opening.opening_mrr_amount,
        revenue.revenue_to_date_amount,
        revenue.is_active,
        revenue.churned_date

    from revenue
    inner join {{ ref('int_customer_lifetimes') }} as lifetimes
        on revenue.customer_id = lifetimes.customer_id
    inner join opening on revenue.customer_id = opening.customer_id
    inner join attributes
        on
            revenue.customer_id = attributes.customer_id
            and revenue.first_paid_date >= attributes.starts_date
            and (
                attributes.ends_date is null
                or revenue.first_paid_date < attributes.ends_date
            )

),

reachable as (

    select
        attribute,
        max(points) as points

    from criteria

    group by attribute

),

-- An unknown attribute adds neither points nor weight.
met as (

    select
        signed.customer_id,
        reachable.attribute,
        reachable.points as reachable_points,
        case
            when reachable.attribute = 'opening_mrr'
                then signed.opening_mrr_amount is not null
            else nullif(to_jsonb(signed) ->> reachable.attribute, 'unknown') is not null
        end as is_known,
        coalesce(max(criteria.points), 0) as points

    from signed
    cross join reachable
    left join criteria
        on
            reachable.attribute = criteria.attribute
            and (
                to_jsonb(signed) ->> reachable.attribute = criteria.value
                or signed.opening_mrr_amount >= criteria.from_amount
            )

    group by signed.customer_id, reachable.attribute, reachable.points, is_known

),

scored as (

    select
        customer_id,
        (
            100.0 * sum(points) filter (where is_known)
            / nullif(sum(reachable_points) filter (where is_known), 0)
        )::numeric(5, 2) as fit_score,
        (
            coalesce(sum(reachable_points) filter (where is_known), 0)::numeric
            / sum(reachable_points)
        )::numeric(9, 6) as fit_coverage,
        (
            jsonb_object_agg(attribute, points order by attribute)
            filter (where is_known)
        ) as fit_points

    from met

    group by customer_id

),

deliberate as (

    select distinct customer_id from {{ ref('int_churns') }}

    where is_deliberate_exit

)

select
    signed.customer_id,
    signed.signed_date,
    signed.is_signing_seen,
    signed.segment,
    signed.industry,
    signed.region,
    signed.plan,
    {{ policy('reporting_currency', 'text') }} as reporting_currency,
    signed.opening_mrr_amount::numeric(18, 4) as opening_mrr_amount,
    scored.fit_score,
    scored.fit_coverage,
    case
        when
            scored.fit_score is null
            or scored.fit_coverage < {{ policy('fit_min_coverage') }}
            then 'unknown'
        when scored.fit_score >= {{ policy('fit_right_from') }} then 'right'
        when scored.fit_score >= {{ policy('fit_partly_from') }} then 'partly'
        else 'poor'
    end as fit_band,
    scored.fit_points,
    signed.is_active,
    signed.churned_date,
    deliberate.customer_id is not null as is_deliberate_exit,
    signed.revenue_to_date_amount,
    -- Margin earned so far plus the expected margin of an active customer.
    (
        signed.revenue_to_date_amount * segments.gross_margin_rate
        + case when signed.is_active then values_today.clv_survival_amount else 0 end
    )::numeric(18, 4) as clv_amount,
    {{ as_of() }} as as_of_date

from signed
inner join scored on signed.customer_id = scored.customer_id
left join deliberate on signed.customer_id = deliberate.customer_id
left join values_today on signed.customer_id = values_today.customer_id
left join segments on signed.segment = segments.segment
