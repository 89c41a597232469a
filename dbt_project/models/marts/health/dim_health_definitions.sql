select
    definition,
    version,
    segment,
    component,
    source,
    metric,
    direction,
    worst,
    best,
    weight,
    max_age_days,
    owner,
    description,
    sentence,
    valid_from,
    nullif(valid_to, 'infinity'::date) as valid_to,
    {{ as_of() }} as as_of_date

from {{ ref('int_health_definitions') }}
