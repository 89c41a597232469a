{{ config(materialized='table') }}

with

terms as (

    select * from {{ ref('int_subscription_terms') }}

    where not is_trial

),

customers as (

    select * from {{ ref('int_customers') }}

),

entitlements as (

    select * from {{ ref('feature_entitlements') }}

),

-- Entitlements follow the products bought, or the plan where the products are unknown.
entitled as (

    select
        terms.customer_id,
        entitlements.feature,
        entitlements.feature_group,
        daterange(terms.starts_date, terms.ends_date) as days

    from terms
    inner join entitlements on terms.product ilike entitlements.product || '%'

    where terms.ends_date is null or terms.ends_date > terms.starts_date

    union all

    select
        customers.customer_id,
        entitlements.feature,
        entitlements.feature_group,
        daterange(null, null) as days

    from customers
    inner join entitlements on customers.plan ilike entitlements.product || '%'

),

-- Two products may include the same feature; it counts once.
merged as (

    select
        customer_id,
        feature,
        feature_group,
        unnest(range_agg(days)) as days

    from entitled

    group by customer_id, feature, feature_group

)

select
    customer_id,
    feature,
    feature_group,
    coalesce(lower(days), '-infinity') as starts_date,
    coalesce(upper(days), 'infinity') as ends_date

from merged
