with

reviews as (

    select * from {{ ref('int_business_reviews') }}

),

goals as (

    select * from {{ ref('int_goals') }}

),

vocabulary as (

    select * from {{ ref('vocabulary') }}

),

sections as (

    select
        reviews.source,
        reviews.review_id,
        array_agg(distinct vocabulary.canonical_value) as blocks

    from reviews
    cross join
        lateral jsonb_array_elements_text(reviews.review_sections)
            as listed (section)
    inner join vocabulary
        on
            vocabulary.field = 'review_section'
            and listed.section = vocabulary.vendor_value

    group by reviews.source, reviews.review_id

),

-- The goals in force on the day of the review.
goals_then as (

    select
        reviews.source,
        reviews.review_id,
        array_agg(goals.goal_id order by goals.goal_id) as goal_ids,
        jsonb_agg(
            jsonb_build_object(
                'goal_id', goals.goal_id,
                'baseline', goals.baseline,
                'target', goals.target,
                'current_value', goals.current_value,
                'status', goals.status,
                'due_date', goals.due_date
            ) order by goals.goal_id
        ) as goals

    from reviews
    inner join goals
        on
            reviews.customer_id = goals.customer_id
            and reviews.review_date >= goals.created_date
            and reviews.review_date < coalesce(goals.closed_date, date 'infinity')

    group by reviews.source, reviews.review_id

),

held as (

    select
        reviews.source,
        reviews.review_id,
        goals_then.goal_ids,
        lag(reviews.review_id) over by_date as previous_review_id,
        lag(goals_then.goal_ids) over by_date as previous_goal_ids

    from reviews
    left join goals_then
        on
            reviews.source = goals_then.source
            and reviews.review_id = goals_then.review_id

    where reviews.is_held

    window by_date as (
        partition by reviews.customer_id
        order by reviews.review_date, reviews.review_id
    )

)

-- Without a document its content is unknown: null, not false.
select
    reviews.source,
    reviews.review_id,
    reviews.customer_id,
    reviews.csm_id,
    date_trunc('quarter', reviews.review_date)::date as quarter,
    reviews.outcome,
    reviews.document_reference,
    held.previous_review_id,
    reviews.next_action_owner_id,
    (cardinality(sections.blocks) / 4.0)::numeric(9, 6) as completeness,
    held.goal_ids,
    goals_then.goals,
    sections.blocks as content_blocks,
    reviews.is_held,
    reviews.is_held and reviews.has_document as is_documented,
    reviews.has_decision_maker,
    sections.blocks @> array['results'] as has_results,
    sections.blocks @> array['kpi_vs_plan'] as has_kpi_vs_plan,
    sections.blocks @> array['next_plans'] as has_next_plans,
    sections.blocks @> array['goal_changes'] as has_goal_changes,
    case
        when
            held.previous_review_id is not null
            and coalesce(held.goal_ids, held.previous_goal_ids) is not null
            then (held.goal_ids is distinct from held.previous_goal_ids)
    end as is_goal_changed,
    reviews.next_action is not null as has_next_action,
    reviews.next_action_due_date,
    reviews.review_date

from reviews
left join sections
    on
        reviews.source = sections.source
        and reviews.review_id = sections.review_id
left join goals_then
    on
        reviews.source = goals_then.source
        and reviews.review_id = goals_then.review_id
left join held
    on
        reviews.source = held.source
        and reviews.review_id = held.review_id
