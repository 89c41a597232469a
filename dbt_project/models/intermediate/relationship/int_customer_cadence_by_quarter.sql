{{ config(materialized='table') }}

with

quarters as (

    select * from {{ ref('int_paying_customers_by_quarter') }}

),

reviews as (

    select * from {{ ref('int_reviews_by_quarter') }}

),

answers as (

    select * from {{ ref('int_survey_responses') }}

    where survey = 'nps' and is_valid

),

feedback as (

    select * from {{ ref('int_feedback_items') }}

),

answered as (

    select
        quarters.quarter,
        quarters.customer_id,
        count(distinct date_trunc('month', answers.answered_date)) as nps_months,
        avg(answers.score)::numeric(6, 2) as mean_nps_score

    from quarters
    inner join answers
        on
            quarters.customer_id = answers.customer_id
            and quarters.quarter <= answers.answered_date
            and quarters.next_quarter > answers.answered_date

    group by quarters.quarter, quarters.customer_id

),

feedback_counted as (

    select
        quarters.quarter,
        quarters.customer_id,
        count(*) filter (where feedback.raised_date >= quarters.quarter)
            as feedback_raised,
        count(*) filter (
            where
            feedback.implemented_date >= quarters.quarter
            and feedback.implemented_date < quarters.next_quarter
        ) as feedback_implemented

    from quarters
    inner join feedback
        on
            quarters.customer_id = feedback.customer_id
            and quarters.next_quarter > feedback.raised_date

    group by quarters.quarter, quarters.customer_id

),

measured as (

    select
        quarters.*,
        coalesce(answered.nps_months, 0) as nps_months,
        answered.mean_nps_score,
        coalesce(feedback_counted.feedback_raised, 0) as feedback_raised,
        coalesce(feedback_counted.feedback_implemented, 0) as feedback_implemented,
        coalesce(answered.nps_months, 0) = 3 as is_monthly_nps_done,
        -- Null for a customer too young for a review.
        reviews.is_covered as is_quarterly_review_done

    from quarters
    left join reviews
        on
            quarters.quarter = reviews.quarter
            and quarters.customer_id = reviews.customer_id
    left join answered
        on
            quarters.quarter = answered.quarter
            and quarters.customer_id = answered.customer_id
    left join feedback_counted
        on
            quarters.quarter = feedback_counted.quarter
            and quarters.customer_id = feedback_counted.customer_id

)

select
    quarter,
    customer_id,
    segment,
    csm_id,
    case
        when is_quarterly_review_done is null then null
        when is_monthly_nps_done and is_quarterly_review_done then 'both'
        when is_monthly_nps_done then 'operational_only'
        when is_quarterly_review_done then 'strategic_only'
        else 'neither'
    end as cadence,
    (mrr_reporting_amount * 12)::numeric(18, 4) as arr_amount,
    nps_months,
    mean_nps_score,
    feedback_raised,
    feedback_implemented,
    is_monthly_nps_done,
    is_quarterly_review_done,
    is_churned_a_quarter_later

from measured
