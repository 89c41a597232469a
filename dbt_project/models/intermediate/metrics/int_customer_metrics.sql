{{
    config(
        materialized='table',
        indexes=[{'columns': ['metric', 'as_of_date', 'customer_id']}]
    )
}}

-- A source with data but without a value yet gives a row with null; a source without
-- data of the customer gives no row.
{%- for family in metric_families() %}
{%- if not loop.first %}

union all
{% endif %}
select
    family.customer_id,
    family.as_of_date,
    measured.metric,
    measured.value,
    family.{{ family.observed }} as observed_date

from {{ ref('int_' ~ family.family ~ '_metrics_daily') }} as family
cross join
    lateral (
        values
        {%- for metric in family.metrics %}
        ('{{ metric }}', family.{{ metric }}::numeric(18, 4))
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    ) as measured (metric, value)

where family.{{ family.observed }} is not null or measured.value is not null
{%- endfor %}
