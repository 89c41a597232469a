with

roles as (

    select * from {{ ref('int_contact_roles') }}

)

-- Who came to a meeting or answered before being entered in the CRM had the first role
-- known.
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
