{{ config(materialized='table') }}

with

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

vocabulary as (

    select * from {{ ref('vocabulary') }}

    where field = 'contact_role'

),

hubspot_versions as (

    select * from {{ ref('stg_hubspot__contact_versions') }}

),

files_versions as (

    select * from {{ ref('stg_files__contact_versions') }}

),

unioned as (

    select
        contact_id,
        company_id as account_key,
        lower(contact_role) as vendor_role,
        version_number,
        is_deleted,
        created_at::date as created_date,
        left_date,
        valid_from::date as version_date

    from hubspot_versions

    union all

    select
        contact_id,
        account_id as account_key,
        lower(contact_role) as vendor_role,
        version_number,
        is_deleted,
        created_date,
        left_date,
        valid_from::date as version_date

    from files_versions

),

people as (

    select
        contact_id,
        min(created_date) as created_date,
        (array_agg(left_date order by is_deleted asc, version_number desc))[1]
            as left_date,
        min(version_date) filter (where left_date is not null) as left_known_date

    from unioned

    group by contact_id

),

-- A late entry does not mean the role was absent before, so the time before the first
-- known role has no value.
versions as (

    select
        unioned.contact_id,
        customer_keys.customer_id,
        case
            when not unioned.is_deleted
                then coalesce(vocabulary.canonical_value, unioned.vendor_role)
        end as contact_role,
        count(unioned.vendor_role) filter (where not unioned.is_deleted)
            over (partition by unioned.contact_id order by unioned.version_number)
            as roles_so_far,
        unioned.version_number,
        unioned.version_date

    from unioned
    left join customer_keys on unioned.account_key = customer_keys.account_key
    left join vocabulary on unioned.vendor_role = vocabulary.vendor_value

),

compared as (

    select
        *,
        row_number() over by_rank as role_rank,
        lag(contact_role) over by_rank as earlier_role,
        lag(customer_id) over by_rank as earlier_customer_id

    from versions

    where roles_so_far > 0

    window by_rank as (partition by contact_id order by version_number)

),

spans as (

    select
        compared.contact_id,
        compared.customer_id,
        compared.contact_role as role,
        case
            when compared.role_rank = 1
                then least(people.created_date, compared.version_date)
            else compared.version_date
        end as starts_date,
        least(
            lead(compared.version_date) over (
                partition by compared.contact_id order by compared.version_number
            ),
            people.left_date
        ) as ends_date,
        people.left_date,
        people.left_known_date

    from compared
    inner join people on compared.contact_id = people.contact_id

    where
        compared.role_rank = 1
        or compared.contact_role is distinct from compared.earlier_role
        or compared.customer_id is distinct from compared.earlier_customer_id

)

-- A departure is known only from the day it was seen, which may be later than
-- left_date.
select
    contact_id,
    customer_id,
    role,
    starts_date,
    ends_date,
    case
        when ends_date = left_date then greatest(ends_date, left_known_date)
        else ends_date
    end as ends_known_date

from spans

where
    role is not null
    and customer_id is not null
    and (ends_date is null or starts_date < ends_date)
