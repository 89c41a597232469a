with

-- HubSpot shows the latest wave only, so every version that tells of another one is a
-- wave of its own.
versions as (

    select
        record_id as company_id,
        (nullif(doc #>> '{properties,nps_last_invited_on}', ''))::date as invited_date,
        (nullif(doc #>> '{properties,nps_invites_total}', ''))::int as invites_total

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
