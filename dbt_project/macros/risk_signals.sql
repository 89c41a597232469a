{#-
What `int_risk_metric_changes` holds of the days before those to score: the newest row per
customer and signal.
-#}
{% macro risk_signals_before() -%}
    {%- if is_incremental() -%}
    select distinct on (customer_id, signal)
        customer_id,
        signal,
        status,
        met_since_date

    from {{ this }}

    where as_of_date < {{ first_day_to_score() }}

    order by customer_id asc, signal asc, as_of_date desc
    {%- else -%}
    select
        null::text as customer_id,
        null::text as signal,
        null::text as status,
        null::date as met_since_date

    where false
    {%- endif -%}
{%- endmacro %}

{#- A rule that was changed without a new version is looked up in all of the history again. -#}
{% macro forget_changed_risk_rules() -%}
    {%- if is_incremental() -%}
    delete from {{ this }} where rule_fingerprint not in (
        select rules.rule_fingerprint from {{ ref('int_risk_rules') }} as rules
    )
    {%- else -%}
    select 1
    {%- endif -%}
{%- endmacro %}

{#-
What `int_risk_event_changes` holds of the days before those to score: the newest row per event.
-#}
{% macro risk_events_before() -%}
    {%- if is_incremental() -%}
    select distinct on (risk_event, event_id, customer_id)
        risk_event,
        event_id,
        customer_id,
        status,
        opened_date

    from {{ this }}

    where as_of_date < {{ first_day_to_score() }}

    order by
        risk_event asc, event_id asc, customer_id asc, opened_date desc, as_of_date desc,
        status = 'open' asc
    {%- else -%}
    select
        null::text as risk_event,
        null::text as event_id,
        null::text as customer_id,
        null::text as status,
        null::date as opened_date

    where false
    {%- endif -%}
{%- endmacro %}
