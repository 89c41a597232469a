{{ config(materialized='table', post_hook='{{ forget_ledger_mark() }}') }}

{%- set before = ledger_mark() if execute else none -%}
{%- set never = {
    'as_of': 'infinity',
    'first_month': 'infinity',
    'last_month': 'infinity'
} %}

with

logs as (

    {{ ledger_log_states(before) }}

)

select
    {{ as_of() }} as as_of,
    {{ known_at() }} as known_at,
    '{{ project_fingerprint() }}' as project,
    {{ ledger_goes_on_from(before) }} as is_increment,
    jsonb_object_agg(log, version_before) as versions_before,
    jsonb_object_agg(log, version_now) as versions_now,
    date '{{ (before or never)["as_of"] }}' as as_of_before,
    date '{{ (before or never)["first_month"] }}' as first_month_before,
    date '{{ (before or never)["last_month"] }}' as last_month_before,
    -- News is of a bill's period, which began within a month or two.
    (
        date_trunc('month', date '{{ (before or never)["as_of"] }}')
        - interval '1 month'
    )::date as recent_month,
    date '{{ (before or never)["last_month"] }}' < {{ last_month() }} as closes_a_month

from logs
