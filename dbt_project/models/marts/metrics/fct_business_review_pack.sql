with

quarters as (

    select
        *,
        (quarter + interval '3 months' - interval '1 day')::date as last_day

    from {{ ref('fct_customer_quarters') }}

    where is_paying

),

earlier as (

    select
        customer_id,
        (quarter + interval '3 months')::date as quarter,
        mean_nps_score

    from {{ ref('fct_customer_quarters') }}

),

reviews as (

    select distinct on (customer_id, quarter) *

    from {{ ref('fct_business_reviews') }}

    where is_held

    order by customer_id asc, quarter asc, review_date desc, review_id desc

),

stakeholders as (

    select * from {{ ref('fct_stakeholder_coverage') }}

),

adoption as (

    select * from {{ ref('fct_product_adoption_daily') }}

),

lines as (

    select
        quarters.quarter,
        quarters.customer_id,
        line.*

    from quarters
    left join earlier
        on
            quarters.customer_id = earlier.customer_id
            and quarters.quarter = earlier.quarter
    left join reviews
        on
            quarters.customer_id = reviews.customer_id
            and quarters.quarter = reviews.quarter
    left join stakeholders
        on
            quarters.customer_id = stakeholders.customer_id
            and quarters.last_day = stakeholders.as_of_date
    left join adoption
        on
            quarters.customer_id = adoption.customer_id
            and quarters.last_day = adoption.as_of_date
    cross join lateral (
        values
        (
            'goals', 1, 'goals_attained',
            case when quarters.goal_ids != '{}' then quarters.goals_attained end
            ::numeric(18, 4),
            'goals', 'fct_customer_quarters'
        ),
        (
            'goals', 2, 'goals_judged',
            case when quarters.goal_ids != '{}' then quarters.goals_judged end,
            'goals', 'fct_customer_quarters'
        ),
        (
            'kpi_against_plan', 1, 'mean_progress', quarters.mean_goal_progress,
            'share', 'fct_customer_quarters'
        ),
        (
            'kpi_against_plan', 2, 'review_completeness', reviews.completeness,
            'share', 'fct_business_reviews'
        ),
        (
            'value_delivered', 1, 'active_seat_ratio', adoption.active_seat_ratio,
            'share', 'fct_product_adoption_daily'
        ),
        (
            'value_delivered', 2, 'arr_amount', quarters.arr_amount,
            'reporting_currency', 'fct_customer_quarters'
        ),
        (
            'satisfaction_trend', 1, 'mean_nps_score', quarters.mean_nps_score,
            'points', 'fct_customer_quarters'
        ),
        (
            'satisfaction_trend', 2, 'mean_nps_score_change',
            quarters.mean_nps_score - earlier.mean_nps_score, 'points',
            'fct_customer_quarters'
        ),
        (
            'feedback_implemented', 1, 'feedback_implemented',
            quarters.feedback_implemented, 'items', 'fct_customer_quarters'
        ),
        (
            'feedback_implemented', 2, 'feedback_raised', quarters.feedback_raised,
            'items', 'fct_customer_quarters'
        ),
        (
            'open_risks', 1, 'decision_maker_contacts',
            quarters.decision_maker_contacts, 'contacts',
            'fct_customer_quarters'
        ),
        (
            'open_risks', 2, 'missing_levels',
            cardinality(stakeholders.missing_levels), 'levels',
            'fct_stakeholder_coverage'
        ),
        (
            'open_risks', 3, 'key_people_left', stakeholders.key_people_left,
            'people', 'fct_stakeholder_coverage'
        ),
        (
            'next_steps', 1, 'days_to_next_action',
            reviews.next_action_due_date - quarters.last_day, 'days',
            'fct_business_reviews'
        )
    ) as line (block, line_number, line, figure, unit, mart)

),

keyed as (

    select
        lines.*,
        reviews.source,
        reviews.review_id,
        (lines.quarter + interval '3 months' - interval '1 day')::date as last_day

    from lines
    left join reviews
        on
            lines.customer_id = reviews.customer_id
            and lines.quarter = reviews.quarter

)

-- A line with a missing figure is kept, with a null key.
select
    quarter,
    customer_id,
    block,
    line_number,
    line,
    figure::numeric(18, 4) as figure,
    unit,
    mart,
    case
        when figure is null then null
        when mart = 'fct_business_reviews'
            then jsonb_build_object('source', source, 'review_id', review_id)
        when mart in ('fct_stakeholder_coverage', 'fct_product_adoption_daily')
            then
                jsonb_build_object('customer_id', customer_id, 'as_of_date', last_day)
        else jsonb_build_object('quarter', quarter, 'customer_id', customer_id)
    end as mart_key,
    figure is null as is_missing

from keyed
