with

lines as (

    select * from {{ ref('int_stripe_invoice_lines') }}

    where is_recurring

),

subscriptions as (

    select * from {{ ref('stg_stripe__subscriptions') }}

),

currencies as (

    select * from {{ ref('currencies') }}

),

{{ stripe_terms('lines', 'lines', 'subscriptions', 'currencies') }}
