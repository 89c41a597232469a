{{ config(materialized='table') }}

-- Every model with `incremental_strategy='rebuild'` comes before this one.
-- depends_on: {{ ref('int_subscription_terms') }}
-- depends_on: {{ ref('int_mrr_movements_by_month') }}
-- depends_on: {{ ref('int_mrr_policy_bridge_by_month') }}

select
    as_of,
    known_at,
    project,
    versions,
    version_counts

from {{ ref('int_rebuild_plan') }}
