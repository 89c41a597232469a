{{
    config(
        materialized='incremental',
        incremental_strategy='from_first_day',
        on_schema_change='append_new_columns'
    )
}}

with

changes as (

    select * from {{ ref('int_health_changes') }}

)

select
    changes.customer_id,
    changes.days,
    changes.score,
    changes.earlier_score,
    changes.change,
    changes.data_effect,
    changes.definition_effect,
    changes.missing_effect,
    changes.override_effect,
    changes.signal_effects,
    jsonb_build_array(
        case
            when changes.change = 0
                then 'The score is ' || changes.score || ', as it was ' || spans.ago
            else
                'The score '
                || case when changes.change > 0 then 'rose' else 'fell' end
                || ' by ' || abs(changes.change) || ' in ' || spans.span
                || ' to ' || changes.score
        end || '.'
    ) || told.sentences as sentences,
    changes.earlier_date,
    changes.as_of_date,
    {{ known_at() }} as known_at

from changes
cross join
    lateral (
        select
            case
                when changes.days = 1 then 'a day' else changes.days || ' days'
            end as span,
            case
                when changes.days = 1 then 'the day before'
                else changes.days || ' days before'
            end as ago
    ) as spans
cross join
    lateral (
        select
            coalesce(
                jsonb_agg(
                    upper(left(largest.reason, 1)) || substr(largest.reason, 2)
                    || ' (' || to_char(largest.effect, 'FMSG990.00') || ').'
                    order by abs(largest.effect) desc, largest.reason asc
                ),
                '[]'::jsonb
            ) as sentences

        from (
            select
                reasons.effect,
                reasons.reason

            from (
                values
                (changes.effects[1], changes.reasons[1]),
                (changes.effects[2], changes.reasons[2]),
                (changes.definition_effect, 'the definition of the score is another'),
                (
                    changes.missing_effect,
                    concat_ws(
                        '; ',
                        'no longer measured: ' || changes.gone,
                        'measured only now: ' || changes.come
                    )
                ),
                (
                    changes.override_effect,
                    case
                        when changes.override_effect < 0
                            then 'a cap or an override holds it down'
                        else 'a cap or an override holds it down less'
                    end
                )
            ) as reasons (effect, reason)

            where reasons.effect != 0

            order by abs(reasons.effect) desc, reasons.reason asc

            limit 2
        ) as largest
    ) as told
