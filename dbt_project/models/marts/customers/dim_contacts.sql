with

contacts as (

    select * from {{ ref('int_contacts') }}

    where not is_deleted and customer_id is not null

)

select
    contact_id,
    customer_id,
    contact_name,
    email,
    email_pseudonym,
    contact_role,
    left_date is null or left_date > {{ as_of() }} as is_present,
    created_date,
    left_date

from contacts
