select
    metrics.metric,
    metrics.family

from (
    values
    {%- for family in metric_families() %}
    {%- set is_last_family = loop.last %}
    {%- for metric in family.metrics %}
    ('{{ metric }}', '{{ family.family }}')
    {%- if not (is_last_family and loop.last) %},{% endif %}
    {%- endfor %}
    {%- endfor %}
) as metrics (metric, family)
