-- A finding of a kind the seed does not know would be counted nowhere.
select distinct kind from {{ ref('int_source_contradictions') }}

where kind not in (select kinds.kind from {{ ref('data_quality_kinds') }} as kinds)
