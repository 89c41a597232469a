{{ config(materialized='table') }}

with

movements as (

    select * from {{ ref('int_mrr_movements') }}

),

churns as (

    select * from {{ ref('int_churns') }}

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

-- A customer that already paid when the billing data begins is older than the data. Its
-- lifetime counts from its sign-up date and enters at its first paid date, because a
-- churn before that day could not be observed (left truncation).
lifetimes as (

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

-- Only the first lifetime: a reactivated customer has already churned once.
select
    lifetimes.customer_id,
    attributes.segment,
    lifetimes.first_paid_date - lifetimes.origin_date as entry_days,
    lifetimes.last_date - lifetimes.origin_date as duration_days,
    lifetimes.outcome,
    lifetimes.origin_date,
    lifetimes.first_paid_date

from lifetimes
inner join attributes
    on
        lifetimes.customer_id = attributes.customer_id
        and lifetimes.first_paid_date >= attributes.starts_date
        and (
            attributes.ends_date is null
            or lifetimes.first_paid_date < attributes.ends_date
        )
