{{ config(materialized='table') }}

with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

hubspot_contacts as (

    select * from {{ ref('stg_hubspot__contacts') }}

),

files_contacts as (

    select * from {{ ref('stg_files__contacts') }}

),

unioned as (

    select
        contact_id,
        company_id as account_key,
        contact_name,
        email,
        email_pseudonym,
        lower(contact_role) as contact_role,
        is_deleted,
        created_at::date as created_date,
        left_date

    from hubspot_contacts

    union all

    select
        contact_id,
        account_id as account_key,
        contact_name,
        email,
        email_pseudonym,
        lower(contact_role) as contact_role,
        is_deleted,
        created_date,
        left_date

    from files_contacts

)

select distinct on (unioned.contact_id)
    unioned.contact_id,
    customer_keys.customer_id,
    unioned.account_key,
    unioned.contact_name,
    unioned.email,
    unioned.email_pseudonym,
    unioned.contact_role,
    unioned.is_deleted,
    unioned.created_date,
    unioned.left_date

from unioned
left join customer_keys on unioned.account_key = customer_keys.account_key

order by unioned.contact_id, customer_keys.customer_id
