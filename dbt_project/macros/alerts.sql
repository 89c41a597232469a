{#- Select the newest row per customer and alert rule that `int_alert_metric_changes`
    holds for the days before the days to score. -#}
{% macro metric_alerts_before() -%}
    {%- if is_incremental() -%}
    select distinct on (customer_id, alert_rule)
        customer_id,
        alert_rule,
        status,
        met_since_date

    from {{ this }}

    where as_of_date < {{ first_day_to_score() }}

    order by customer_id asc, alert_rule asc, as_of_date desc
    {%- else -%}
    select
        null::text as customer_id,
        null::text as alert_rule,
        null::text as status,
        null::date as met_since_date

    where false
    {%- endif -%}
{%- endmacro %}

{#- Delete the rows of rules that changed without a new version, so that they are
    evaluated over the whole history again. -#}
{% macro forget_changed_alert_rules() -%}
    {%- if is_incremental() -%}
    delete from {{ this }} where rule_fingerprint not in (
        select rules.rule_fingerprint from {{ ref('int_alert_rules') }} as rules
    )
    {%- else -%}
    select 1
    {%- endif -%}
{%- endmacro %}

{#- Select the newest row per event that `int_alert_event_changes` holds for the days
    before the days to score. -#}
{% macro event_alerts_before() -%}
    {%- if is_incremental() -%}
    select distinct on (alert_event, event_id, customer_id)
        alert_event,
        event_id,
        customer_id,
        status,
        opened_date

    from {{ this }}

    where as_of_date < {{ first_day_to_score() }}

    order by
        alert_event asc, event_id asc, customer_id asc, opened_date desc, as_of_date desc,
        status = 'open' asc
    {%- else -%}
    select
        null::text as alert_event,
        null::text as event_id,
        null::text as customer_id,
        null::text as status,
        null::date as opened_date

    where false
    {%- endif -%}
{%- endmacro %}

{#- Select the columns of an alert event from the CTE `events`, without events that open
    after `as_of`. -#}
{% macro alert_events() -%}
select
    customer_id,
    alert_event,
    event_id,
    opened_date,
    closed_date,
    value::numeric(18, 4) as value,
    evidence_ids,
    evidence

from events

where opened_date <= {{ as_of() }}
{%- endmacro %}

{#- Name the records of an array as evidence: `response:` and the id, in order. -#}
{% macro evidence_of(record, ids) -%}
    array(
        select '{{ record }}:' || record.id from unnest({{ ids }}) as record (id)
        order by record.id
    )
{%- endmacro %}
