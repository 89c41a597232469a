-- Two overlapping overrides of a customer need a human decision, not a join.
select
    one.customer_id,
    one.override,
    one.valid_from

from {{ ref('health_score_overrides') }} as one
inner join {{ ref('health_score_overrides') }} as other
    on
        one.customer_id = other.customer_id
        and one.override = other.override
        and one.valid_from >= other.valid_from
        and one.valid_from < other.expires_date

group by one.customer_id, one.override, one.valid_from

having count(*) > 1
