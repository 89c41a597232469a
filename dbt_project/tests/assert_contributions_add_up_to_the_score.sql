-- Exactly, to the last digit: a reason that does not add up is no reason.
select
    health.customer_id,
    health.as_of_date,
    health.score,
    sum((component.doc ->> 'contribution')::numeric(5, 2)) as contribution_sum

from {{ ref('fct_customer_health_daily') }} as health
cross join lateral jsonb_array_elements(health.components) as component (doc)

where health.as_of_date > {{ as_of() }} - 7 and health.score is not null

group by health.customer_id, health.as_of_date, health.score

having sum((component.doc ->> 'contribution')::numeric(5, 2)) != health.score
