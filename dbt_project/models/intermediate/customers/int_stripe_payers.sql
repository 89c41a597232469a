with

customers as (

    select * from {{ ref('stg_stripe__customers') }}

),

subscriptions as (

    select * from {{ ref('stg_stripe__subscriptions') }}

),

invoices as (

    select * from {{ ref('int_stripe_invoices') }}

),

-- Stripe keeps only the id and the bills of a deleted customer. Its subscription still
-- names the account.
billed as (

    select
        stripe_customer_id,
        crm_company_id,
        starts_at as known_since

    from subscriptions

    union all

    select
        stripe_customer_id,
        null as crm_company_id,
        created_at as known_since

    from invoices

),

billed_payers as (

    select
        stripe_customer_id,
        max(crm_company_id) as crm_company_id,
        min(known_since) as known_since

    from billed

    group by stripe_customer_id

)

select
    coalesce(customers.stripe_customer_id, billed_payers.stripe_customer_id)
        as stripe_customer_id,
    coalesce(customers.crm_company_id, billed_payers.crm_company_id) as crm_company_id,
    customers.customer_name,
    customers.email_domain,
    coalesce(customers.created_at, billed_payers.known_since) as created_at

from customers
full outer join billed_payers
    on customers.stripe_customer_id = billed_payers.stripe_customer_id
