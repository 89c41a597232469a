-- Weights must sum to exactly 1 in every version, else all scores of the segment are
-- off the scale. Each version, date and segment is checked.
select
    definition,
    version,
    segment,
    'weights add up to ' || sum(weight)::text as problem

from {{ ref('int_health_definitions') }}

group by definition, version, segment

having sum(weight) != 1

union all

-- A version must not list more than the total weight of 1.
select
    definition,
    version,
    segment,
    'the version names more weight than there is' as problem

from {{ ref('health_score_components') }}

group by definition, version, segment

having sum(weight) > 1

union all

select
    definition,
    max(version) as version,
    min(segment) as segment,
    'two versions begin on ' || valid_from::text as problem

from {{ ref('health_score_components') }}

group by definition, valid_from

having count(distinct version) > 1

union all

select
    definition,
    version,
    min(segment) as segment,
    'the version begins on two days' as problem

from {{ ref('health_score_components') }}

group by definition, version

having count(distinct valid_from) > 1

union all

select
    definitions.definition,
    null as version,
    'all' as segment,
    'no set for all segments' as problem

from {{ ref('health_score_definitions') }} as definitions

where
    not exists (
        select 1 from {{ ref('health_score_components') }} as components
        where
            definitions.definition = components.definition
            and components.segment = 'all'
    )
