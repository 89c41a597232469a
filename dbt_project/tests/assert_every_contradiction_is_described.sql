-- A contradiction of a kind missing from the seed would not be counted.
select distinct kind from {{ ref('int_source_contradictions') }}

where kind not in (select kinds.kind from {{ ref('data_quality_kinds') }} as kinds)
