-- Contributions must add up exactly in every row, also for unmeasured and capped
-- scores. This test covers the days of this build; the gate covers all published
-- days.
select
    customer_id,
    as_of_date,
    score,
    contribution_sum

from (
    select
        health.customer_id,
        health.as_of_date,
        health.score,
        health.raw_score + health.adjustment as held_score,
        (
            select sum((component.doc ->> 'contribution')::numeric)
            from jsonb_array_elements(health.components) as component (doc)
        ) as contribution_sum

    from {{ ref('fct_customer_health_daily') }} as health

    where health.as_of_date >= {{ first_day_to_score() }}
) as summed

where
    contribution_sum is distinct from score
    or held_score is distinct from score
