with

hubspot_owners as (

    select * from {{ ref('stg_hubspot__owners') }}

),

files_owners as (

    select * from {{ ref('stg_files__owners') }}

),

unioned as (

    select
        owner_id,
        owner_name,
        1 as preference

    from hubspot_owners

    union all

    select
        owner_id,
        owner_name,
        2 as preference

    from files_owners

)

select distinct on (owner_id)
    owner_id as csm_id,
    owner_name as csm_name

from unioned

order by owner_id, preference
