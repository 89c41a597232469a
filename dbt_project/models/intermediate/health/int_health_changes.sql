with

stages as (

    select
        customer_id,
        as_of_date,
        days,
        round(
            sum(weight * score_then)
            / sum(weight) filter (where score_then is not null), 2
        ) as redefined,
        round(sum(shared_weight * score_then) / sum(shared_weight), 2) as shared_then,
        round(sum(shared_weight * score_now) / sum(shared_weight), 2) as shared_now,
        round(
            sum(weight * score_now) filter (where was_asked)
            / sum(weight) filter (where was_asked and score_now is not null), 2
        ) as without_new,
        coalesce(
            jsonb_agg(
                jsonb_build_object(
                    'component', component,
                    'effect', effect,
                    'value', value,
                    'earlier_value', earlier_value
                ) order by place
            ) filter (where effect != 0),
            '[]'::jsonb
        ) as component_effects,
        array_agg(effect order by place) as effects,
        array_agg(
            {{ sentence('sentence', 'value') }} || ', '
            || case
                when sentence like '%{percent}%'
                    then round(earlier_value * 100)::text || ' %'
                else trim_scale(round(earlier_value, 1))::text
            end
            || ' before' order by place
        ) as reasons,
        string_agg(replace(component, '_', ' '), ', ' order by component) filter (
            where score_now is null and score_then is not null
        ) as gone,
        string_agg(replace(component, '_', ' '), ', ' order by component) filter (
            where score_now is not null and score_then is null and was_asked
        ) as come

    from {{ ref('int_health_component_changes') }}

    group by customer_id, as_of_date, days

),

-- Decompose the change in stages; each stage starts where the previous one ended.
staged as (

    select
        *,
        coalesce(shared_now - shared_then, 0) as data_effect,
        coalesce(redefined, shared_then) as start_score,
        coalesce(shared_then, redefined) as before_data,
        coalesce(shared_now, redefined) as after_data

    from stages

)

select
    pairs.customer_id,
    pairs.as_of_date,
    pairs.days,
    pairs.score,
    pairs.earlier_score,
    pairs.earlier_date,
    (pairs.score - pairs.earlier_score)::numeric(5, 2) as change,
    staged.data_effect::numeric(5, 2) as data_effect,
    (
        coalesce(staged.start_score - pairs.earlier_raw_score, 0)
        + pairs.raw_score
        - coalesce(
            staged.without_new, staged.after_data, pairs.earlier_raw_score
        )
    )::numeric(5, 2) as definition_effect,
    (
        coalesce(staged.before_data - staged.start_score, 0)
        + coalesce(
            staged.without_new
            - coalesce(staged.after_data, pairs.earlier_raw_score),
            0
        )
    )::numeric(5, 2) as missing_effect,
    (pairs.adjustment - pairs.earlier_adjustment)::numeric(5, 2) as override_effect,
    staged.component_effects,
    staged.effects,
    staged.reasons,
    staged.gone,
    staged.come

from {{ ref('int_health_score_pairs') }} as pairs
inner join staged
    on
        pairs.customer_id = staged.customer_id
        and pairs.as_of_date = staged.as_of_date
        and pairs.days = staged.days
