-- Changes must add up to the cent, and the components to the effect of the data. This
-- test covers the days of this build; the gate covers all published days.
select
    changes.customer_id,
    changes.as_of_date,
    changes.days

from {{ ref('fct_health_change_daily') }} as changes

where
    changes.as_of_date >= {{ first_day_to_score() }}
    and (
        changes.change != changes.score - changes.earlier_score
        or changes.change
        != changes.data_effect
        + changes.definition_effect
        + changes.missing_effect
        + changes.override_effect
        or changes.data_effect != (
            select coalesce(sum((moved.doc ->> 'effect')::numeric), 0)
            from jsonb_array_elements(changes.component_effects) as moved (doc)
        )
    )
