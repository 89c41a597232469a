-- A score must not use data observed after its day.
select
    health.customer_id,
    health.as_of_date,
    component.doc

from {{ ref('fct_customer_health_daily') }} as health
cross join lateral jsonb_array_elements(health.components) as component (doc)

where
    health.as_of_date > {{ as_of() }} - 7
    and (component.doc ->> 'observed_date')::date > health.as_of_date
