with

-- Due for customers paying at the quarter's end that were old enough at its start.
eligible as (

    select * from {{ ref('int_paying_customers_by_quarter') }}

    where age_days >= {{ policy('review_min_age_days', 'int') }}

),

reviews as (

    select * from {{ ref('int_business_reviews') }}

    where is_held

),

reviewed as (

    select
        eligible.quarter,
        eligible.customer_id,
        count(*) filter (where eligible.quarter <= reviews.review_date)
            as reviews_held,
        count(*) filter (
            where eligible.quarter <= reviews.review_date and reviews.has_document
        ) as reviews_documented,
        max(reviews.review_date) filter (where reviews.has_document)
            as last_documented_date

    from eligible
    inner join reviews
        on
            eligible.customer_id = reviews.customer_id
            and eligible.next_quarter > reviews.review_date

    group by eligible.quarter, eligible.customer_id

)

select
    eligible.quarter,
    eligible.next_quarter,
    eligible.customer_id,
    eligible.segment,
    eligible.csm_id,
    eligible.mrr_reporting_amount,
    coalesce(reviewed.reviews_held, 0) > 0 as is_held,
    coalesce(reviewed.reviews_documented, 0) > 0 as is_covered,
    reviewed.last_documented_date

from eligible
left join reviewed
    on
        eligible.quarter = reviewed.quarter
        and eligible.customer_id = reviewed.customer_id
