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

),

told as (

    select
        changes.*,
        case
            when changes.days = 1 then 'a day' else changes.days || ' days'
        end as span,
        case
            when changes.days = 1 then 'the day before'
            else changes.days || ' days before'
        end as ago,
        sentences.reasons as largest_reasons

    from changes
    cross join
        lateral (  -- noqa: ST05
            select
                coalesce(
                    jsonb_agg(
                        upper(left(largest.reason, 1)) || substr(largest.reason, 2)
                        || ' (' || to_char(largest.effect, 'FMSG990.00') || ').'
                        order by abs(largest.effect) desc, largest.reason asc
                    ),
                    '[]'::jsonb
                ) as reasons

            from (
                select
                    reasons.effect,
                    reasons.reason

                from (
                    values
                    (changes.effects[1], changes.reasons[1]),
                    (changes.effects[2], changes.reasons[2]),
                    (changes.definition_effect, 'the definition is another'),
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
        ) as sentences

)

select
    told.customer_id,
    told.days,
    told.score,
    told.earlier_score,
    told.change,
    told.data_effect,
    told.definition_effect,
    told.missing_effect,
    told.override_effect,
    told.component_effects,
    jsonb_build_array(
        case
            when told.change = 0
                then 'The score is ' || told.score || ', as it was ' || told.ago
            else
                'The score '
                || case when told.change > 0 then 'rose' else 'fell' end
                || ' by ' || abs(told.change) || ' in ' || told.span
                || ' to ' || told.score
        end || '.'
    ) || told.largest_reasons as sentences,
    told.earlier_date,
    told.as_of_date,
    {{ known_at() }} as known_at

from told
