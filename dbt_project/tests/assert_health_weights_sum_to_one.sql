-- A weight more or less and every score of the segment would be off its scale.
select
    version,
    segment,
    sum(weight) as weight_sum

from {{ ref('health_score_signals') }}

group by version, segment

having sum(weight) != 1
