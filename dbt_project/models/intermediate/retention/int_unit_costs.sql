with

unit_costs as (

    select * from {{ ref('unit_costs') }}

),

segments as (

    select distinct segment from {{ ref('int_customer_attribute_ranges') }}

    union

    select 'all' as segment

)

-- A segment without a row of its own uses the row for `all`. An unknown cost is null,
-- and so is every figure derived from it.
select
    {% for item in ['gross_margin', 'acquisition_cost', 'retention_cost'] -%}
    coalesce(
        max(unit_costs.amount) filter (
            where unit_costs.item = '{{ item }}'
            and unit_costs.segment = segments.segment
        ),
        max(unit_costs.amount) filter (
            where unit_costs.item = '{{ item }}' and unit_costs.segment = 'all'
        )
    )::numeric(18, 4) as {{ item }},
    {% endfor -%}
    segments.segment

from segments
left join unit_costs on unit_costs.segment in (segments.segment, 'all')

group by segments.segment
