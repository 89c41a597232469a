-- To the last digit, in every version: a weight more or less and every score of the
-- segment would be off its scale. Version, date and set for all are checked with it.
select
    definition,
    version,
    segment,
    'weights add up to ' || sum(weight)::text as problem

from {{ ref('int_health_definitions') }}

group by definition, version, segment

having sum(weight) != 1

union all

-- A whole version has to be whole, and a change must leave room for the rest.
select
    definition,
    version,
    segment,
    'the version names more weight than there is' as problem

from {{ ref('health_score_signals') }}

group by definition, version, segment

having sum(weight) > 1

union all

select
    definition,
    max(version) as version,
    min(segment) as segment,
    'two versions begin on ' || valid_from::text as problem

from {{ ref('health_score_signals') }}

group by definition, valid_from

having count(distinct version) > 1

union all

select
    definition,
    version,
    min(segment) as segment,
    'the version begins on two days' as problem

from {{ ref('health_score_signals') }}

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
        select 1 from {{ ref('health_score_signals') }} as signals
        where
            definitions.definition = signals.definition
            and signals.segment = 'all'
    )
