with

reviews as (

    select * from {{ ref('int_reviews_by_quarter') }}

),

counted as (

    select
        quarter,
        coalesce(segment, 'all') as segment,
        coalesce(csm_id, 'all') as csm_id,
        count(*) as eligible_customers,
        count(*) filter (where is_held) as held_customers,
        count(*) filter (where is_covered) as covered_customers,
        coalesce(sum(mrr_reporting_amount), 0)::numeric(18, 4) as eligible_mrr_amount,
        coalesce(sum(mrr_reporting_amount) filter (where is_covered), 0)::numeric(18, 4)
            as covered_mrr_amount

    from reviews

    group by grouping sets ((quarter), (quarter, segment), (quarter, csm_id))

)

select
    quarter,
    segment,
    csm_id,
    eligible_customers,
    held_customers,
    covered_customers,
    (covered_customers::numeric / eligible_customers)::numeric(9, 6) as coverage_rate,
    (covered_mrr_amount / nullif(eligible_mrr_amount, 0))::numeric(9, 6)
        as mrr_coverage_rate,
    eligible_mrr_amount,
    covered_mrr_amount,
    ((eligible_mrr_amount - covered_mrr_amount) * 12)::numeric(18, 4)
        as uncovered_arr_amount,
    covered_customers::numeric / eligible_customers
    < {{ policy('review_coverage_target') }} as is_high_risk,
    covered_mrr_amount / nullif(eligible_mrr_amount, 0)
    < {{ policy('review_coverage_target') }} as is_high_risk_by_arr

from counted
