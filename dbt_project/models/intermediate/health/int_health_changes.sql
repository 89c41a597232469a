with

health as (

    select * from {{ ref('fct_customer_health_daily') }}

    where score is not null

),

sets as materialized (

    select * from {{ ref('int_health_sets') }}

),

definitions as materialized (

    select * from {{ ref('int_health_definitions') }}

),

lags as (

    select lags.days from (values (1), (7), (30), (90)) as lags (days)

),

-- The days of this build and no more: what was said of a day stays as it was said.
pairs as materialized (

    select
        today.customer_id,
        today.segment,
        today.as_of_date,
        lags.days,
        today.score,
        today.raw_score,
        today.adjustment,
        today.components,
        earlier.as_of_date as earlier_date,
        earlier.score as earlier_score,
        earlier.raw_score as earlier_raw_score,
        earlier.adjustment as earlier_adjustment,
        asked.doc as asked

    from health as today
    cross join lags
    inner join health as earlier
        on
            today.customer_id = earlier.customer_id
            and today.as_of_date - lags.days = earlier.as_of_date
    cross join
        lateral (
            select
                jsonb_object_agg(
                    component.doc ->> 'metric',
                    jsonb_build_array(
                        component.doc -> 'value', component.doc -> 'age_days'
                    )
                ) as doc

            from jsonb_array_elements(earlier.components) as component (doc)

            where component.doc ->> 'metric' is not null
        ) as asked

    where
        today.as_of_date >= {{ first_day_to_score() }}
        and today.as_of_date > {{ as_of() }} - {{ var('health_change_days') | int }}

),

-- Both days under today's definition, from what was published of each.
compared as (

    select
        pairs.customer_id,
        pairs.as_of_date,
        pairs.days,
        definitions.signal,
        definitions.weight,
        definitions.worst,
        definitions.best,
        definitions.sentence,
        (component.doc ->> 'value')::numeric(18, 4) as value,
        case
            when
                (pairs.asked -> definitions.metric ->> 1)::int
                <= definitions.max_age_days
                then (pairs.asked -> definitions.metric ->> 0)::numeric(18, 4)
        end as earlier_value,
        pairs.asked -> definitions.metric is not null as was_asked

    from pairs
    inner join sets
        on
            pairs.segment = sets.segment
            and pairs.as_of_date = sets.as_of_date
    inner join definitions
        on
            sets.definition = definitions.definition
            and sets.version = definitions.version
            and sets.set_segment = definitions.segment
    cross join lateral jsonb_array_elements(pairs.components) as component (doc)

    where component.doc ->> 'signal' = definitions.signal

),

ramped as (

    select
        *,
        case
            when value is not null
                then least(
                    greatest((value - worst) * 100 / (best - worst), 0), 100
                )
        end::numeric(7, 4) as score_now,
        case
            when earlier_value is not null
                then least(
                    greatest((earlier_value - worst) * 100 / (best - worst), 0), 100
                )
        end::numeric(7, 4) as score_then

    from compared

),

-- What was measured on both days can have moved the score; the rest came or went.
moved as (

    select
        *,
        case
            when score_now is not null and score_then is not null then weight
        end as shared_weight,
        coalesce((score_now - score_then) * weight, 0) as points

    from ramped

),

-- One signal after the other goes from what it was to what it is, and the score is
-- rounded at each step: so the steps add up to the way.
stepped as (

    select
        *,
        round(
            (
                sum(score_then * shared_weight) over whole
                + sum(points) over up_to_here
            )
            / sum(shared_weight) over whole, 2
        )
        - round(
            (
                sum(score_then * shared_weight) over whole
                + coalesce(sum(points) over before, 0)
            )
            / sum(shared_weight) over whole, 2
        ) as effect,
        row_number() over (
            partition by customer_id, as_of_date, days
            order by abs(points) desc, signal asc
        ) as place

    from moved

    window
        whole as (partition by customer_id, as_of_date, days),
        up_to_here as (
            partition by customer_id, as_of_date, days
            order by signal
            rows between unbounded preceding and current row
        ),
        before as (
            partition by customer_id, as_of_date, days
            order by signal
            rows between unbounded preceding and 1 preceding
        )

),

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
                    'signal', signal,
                    'effect', effect,
                    'value', value,
                    'earlier_value', earlier_value
                ) order by place
            ) filter (where effect != 0),
            '[]'::jsonb
        ) as signal_effects,
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
        string_agg(replace(signal, '_', ' '), ', ' order by signal) filter (
            where score_now is null and score_then is not null
        ) as gone,
        string_agg(replace(signal, '_', ' '), ', ' order by signal) filter (
            where score_now is not null and score_then is null and was_asked
        ) as come

    from stepped

    group by customer_id, as_of_date, days

),

-- The way from the earlier score to this one, each stage where the last one ended.
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
    staged.signal_effects,
    staged.effects,
    staged.reasons,
    staged.gone,
    staged.come

from pairs
inner join staged
    on
        pairs.customer_id = staged.customer_id
        and pairs.as_of_date = staged.as_of_date
        and pairs.days = staged.days
