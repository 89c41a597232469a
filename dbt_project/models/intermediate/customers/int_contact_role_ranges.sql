with

roles as (

    select * from {{ ref('int_contact_roles') }}

)

-- Meetings and answers before the CRM entry of a contact get its first known role.
select
    contact_id,
    role,
    case
        when starts_date = min(starts_date) over (partition by contact_id)
            then date '-infinity'
        else starts_date
    end as starts_date,
    coalesce(ends_date, date 'infinity') as ends_date

from roles
