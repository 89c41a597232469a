with

-- HubSpot exposes the latest wave only, so earlier waves are read from older versions.
versions as (

    select
        record_id as company_id,
        ({{ moment('nps_last_invited_on') }})::date as invited_date,
        ops.try_integer(doc #>> '{properties,nps_invites_total}') as invites_total

    from {{ source('hubspot', 'companies') }}

    where loaded_at <= {{ known_at() }} and not deleted

)

select
    company_id,
    invited_date,
    max(invites_total) as invites_total

from versions

where invited_date is not null and invites_total is not null

group by company_id, invited_date
