with

component_scores as (

    select * from {{ ref('int_health_component_scores') }}

),

caps as (

    select * from {{ ref('int_health_caps') }}

),

overrides as (

    select * from {{ ref('health_score_overrides') }}

),

bands as (

    select
        *,
        high = max(high) over (partition by valid_from) as is_top,
        row_number() over (partition by valid_from order by low) as place,
        lead(valid_from, 1, 'infinity'::date) over (
            partition by band order by valid_from
        ) as valid_to

    from {{ ref('health_bands') }}

),

-- A missing component can have any value: the lower bound assumes the worst, the upper
-- bound the best. Both are rounded outwards, so that they enclose the score.
summed as (

    select
        customer_id,
        as_of_date,
        max(definition) as definition,
        max(version) as version,
        sum(contribution) as raw_score,
        coalesce(sum(share) filter (where component_score is not null), 0) as coverage,
        floor(coalesce(sum(component_score * share), 0) * 100) / 100 as low,
        least(
            ceil(
                (
                    coalesce(sum(component_score * share), 0)
                    + coalesce(
                        sum(share * 100) filter (where component_score is null), 0
                    )
                )
                * 100
            )
            / 100,
            100
        ) as high,
        jsonb_agg(
            jsonb_build_object(
                'component', component,
                'source', source,
                'metric', metric,
                'value', value,
                'observed_date', observed_date,
                'age_days', age_days,
                'component_score', round(component_score, 2),
                'weight', weight,
                'contribution', contribution,
                'lost_points', round(lost_points, 2)
            ) order by component
        ) as components,
        coalesce(
            to_jsonb(
                (
                    array_agg(
                        {{ sentence('sentence', 'value') }}
                        order by lost_points desc, component asc
                    ) filter (where lost_points >= 1)
                )[:3]
            ),
            '[]'::jsonb
        ) as reasons

    from component_scores

    group by customer_id, as_of_date

),

-- The score is held by a rule that fired or by an override that has not expired.
held as (

    select
        summed.*,
        least(caps.cap, own_caps.value::numeric(5, 2)) as held_at,
        caps.possible_cap,
        own_bands.value as own_band,
        case
            when
                own_caps.customer_id is not null
                and own_caps.value::numeric(5, 2) <= coalesce(caps.cap, 100)
                then 'override'
            else 'cap'
        end as held_by,
        caps.cap_rule,
        caps.sentence,
        coalesce(own_bands.reason, own_caps.reason) as override_reason,
        coalesce(own_bands.owner, own_caps.owner) as override_owner,
        coalesce(own_bands.expires_date, own_caps.expires_date)
            as override_expires_date

    from summed
    left join caps
        on
            summed.customer_id = caps.customer_id
            and summed.as_of_date = caps.as_of_date
    left join overrides as own_caps
        on
            summed.customer_id = own_caps.customer_id
            and summed.as_of_date >= own_caps.valid_from
            and summed.as_of_date < own_caps.expires_date
            and own_caps.override = 'cap'
    left join overrides as own_bands
        on
            summed.customer_id = own_bands.customer_id
            and summed.as_of_date >= own_bands.valid_from
            and summed.as_of_date < own_bands.expires_date
            and own_bands.override = 'band'

),

adjusted as (

    select
        *,
        least(held_at, raw_score) - raw_score as adjustment,
        case when raw_score is not null then least(raw_score, held_at) end as score,
        least(low, held_at) as known_low,
        least(low, held_at, possible_cap) as score_low,
        least(high, held_at) as score_high

    from held

),

banded as (

    select
        adjusted.*,
        bands.band as score_band,
        low_bands.band as low_band,
        high_bands.band as high_band,
        high_bands.place - known_bands.place as borders_between

    from adjusted
    left join bands
        on {{ within_band('adjusted.score', 'bands', 'adjusted.as_of_date') }}
    left join bands as low_bands
        on {{ within_band('adjusted.score_low', 'low_bands', 'adjusted.as_of_date') }}
    left join bands as known_bands
        on {{ within_band('adjusted.known_low', 'known_bands', 'adjusted.as_of_date') }}
    left join bands as high_bands
        on {{ within_band('adjusted.score_high', 'high_bands', 'adjusted.as_of_date') }}

)

select
    customer_id,
    as_of_date,
    definition,
    version,
    score::numeric(5, 2) as score,
    raw_score::numeric(5, 2) as raw_score,
    adjustment::numeric(5, 2) as adjustment,
    coverage::numeric(4, 3) as coverage,
    score_low::numeric(5, 2) as score_low,
    score_high::numeric(5, 2) as score_high,
    case
        when own_band is not null then own_band
        when score is null or coverage < {{ policy('min_coverage') }} then 'unknown'
        when borders_between >= {{ policy('unknown_from_borders', 'int') }}
            then 'unknown'
        else score_band
    end as band,
    score is not null and low_band = high_band as is_band_certain,
    components
    || case
        when adjustment < 0
            then jsonb_build_array(
                jsonb_build_object(
                    'component', case held_by when 'cap' then cap_rule else held_by end,
                    'source', held_by,
                    'contribution', adjustment
                )
            )
        else '[]'::jsonb
    end as components,
    case
        when adjustment < 0 and held_by = 'cap'
            then jsonb_build_array(sentence) || (reasons - sentence)
        else reasons
    end as reasons,
    case when adjustment < 0 and held_by = 'cap' then cap_rule end as cap_rule,
    own_band as override_band,
    override_reason,
    override_owner,
    override_expires_date

from banded
