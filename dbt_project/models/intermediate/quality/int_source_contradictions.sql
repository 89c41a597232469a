{%- set areas = [
    'usage', 'churn', 'churn_events', 'subscriptions', 'relationship'
] %}
{%- for area in areas %}
{% if not loop.first %}
union all

{% endif -%}
select
    kind,
    source,
    record_key,
    related_key,
    record_count

from {{ ref('int_contradictions_' ~ area) }}
{% endfor %}
