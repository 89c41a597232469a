{{ config(materialized='table') }}

with

movements as (

    select * from {{ ref('int_mrr_movements') }}

),

churns as (

    select * from {{ ref('fct_churn_events') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

attributes as (

    select * from {{ ref('int_customer_attribute_ranges') }}

),

firsts as (

    select
        customer_id,
        min(movement_date) as first_paid_date,
        min(min(movement_date)) over () as data_starts_date

    from movements

    group by customer_id

),

first_losses as (

    select distinct on (customer_id)
        customer_id,
        churned_date,
        churn_type

    from churns

    order by customer_id, churned_date

),

-- Who paid already when the billing data begins is older than the data. Its life counts
-- from its signing up, and it is looked at from the first day that can be seen: before
-- that day it could not have been lost before our eyes (left truncation).
lives as (

    select
        firsts.customer_id,
        case
            when
                firsts.first_paid_date < firsts.data_starts_date + 31
                and customers.signed_up_date < firsts.first_paid_date
                then customers.signed_up_date
            else firsts.first_paid_date
        end as origin_date,
        firsts.first_paid_date,
        coalesce(first_losses.churned_date, {{ as_of() }} + 1) as last_date,
        coalesce(first_losses.churn_type, 'active') as outcome

    from firsts
    inner join customers on firsts.customer_id = customers.customer_id
    left join first_losses on firsts.customer_id = first_losses.customer_id

)

-- The first life only: one that was won back has shown that it could be lost.
select
    lives.customer_id,
    attributes.segment,
    lives.first_paid_date - lives.origin_date as entry_days,
    lives.last_date - lives.origin_date as duration_days,
    lives.outcome,
    lives.origin_date,
    lives.first_paid_date

from lives
inner join attributes
    on
        lives.customer_id = attributes.customer_id
        and lives.first_paid_date >= attributes.starts_date
        and (
            attributes.ends_date is null
            or lives.first_paid_date < attributes.ends_date
        )
