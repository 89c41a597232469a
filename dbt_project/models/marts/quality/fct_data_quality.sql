with

kinds as (

    select * from {{ ref('data_quality_kinds') }}

),

contradictions as (

    select
        kind,
        sum(record_count)::bigint as record_count

    from {{ ref('int_source_contradictions') }}

    group by kind

),

checked as (

    select * from {{ ref('int_records_checked') }}

)

-- A kind without findings has a row with zero, to show that it was checked.
select
    kinds.kind,
    kinds.description,
    kinds.unit,
    coalesce(contradictions.record_count, 0) as contradiction_count,
    checked.checked_count,
    kinds.owner,
    {{ as_of() }} as as_of_date

from kinds
inner join checked on kinds.unit = checked.unit
left join contradictions on kinds.kind = contradictions.kind
