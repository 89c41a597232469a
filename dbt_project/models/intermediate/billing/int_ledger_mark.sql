{{ config(materialized='table') }}

-- depends_on: {{ ref('int_stripe_bills') }}
-- depends_on: {{ ref('int_stripe_invoice_lines') }}
-- depends_on: {{ ref('int_subscription_lines') }}
-- depends_on: {{ ref('int_subscription_terms') }}
-- depends_on: {{ ref('int_mrr_terms') }}
-- depends_on: {{ ref('int_mrr_balances') }}
-- depends_on: {{ ref('int_mrr_volume_steps') }}
-- depends_on: {{ ref('int_mrr_by_month') }}
-- depends_on: {{ ref('int_mrr_by_policy') }}
-- depends_on: {{ ref('fct_mrr_daily') }}
-- depends_on: {{ ref('fct_mrr_movements_monthly') }}
-- depends_on: {{ ref('fct_mrr_by_policy_monthly') }}
-- depends_on: {{ ref('fct_mrr_policy_bridge_monthly') }}

with

plan as (

    select * from {{ ref('int_ledger_plan') }}

),

months as (

    select * from {{ ref('int_months') }}

)

select
    as_of,
    known_at,
    project,
    {{ ledger_log_counts() }}
    (select coalesce(min(months.month), 'infinity') from months) as first_month,
    {{ last_month() }} as last_month

from plan
