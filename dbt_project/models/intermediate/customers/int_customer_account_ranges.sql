with

customers as (

    select * from {{ ref('int_customers') }}

),

countries as (

    select * from {{ ref('countries') }}

),

versions as (

    select
        'hubspot' as source,
        company_id as customer_id,
        segment,
        industry,
        country,
        null as region,
        null as plan,
        owner_id,
        version_number,
        valid_from_date

    from {{ ref('stg_hubspot__company_versions') }}

    union all

    select
        'files' as source,
        account_id as customer_id,
        segment,
        industry,
        country,
        region,
        plan,
        owner_id,
        version_number,
        valid_from_date

    from {{ ref('stg_files__account_versions') }}

),

-- One state per day, valid at its end, from the system that names the customer. A late
-- version with an older vendor timestamp takes its place in the past.
last_of_day as (

    select distinct on (versions.customer_id, versions.valid_from_date) versions.*

    from versions
    inner join customers
        on
            versions.customer_id = customers.customer_id
            and versions.source = customers.account_source

    order by
        versions.customer_id asc,
        versions.valid_from_date asc,
        versions.version_number desc

)

-- The first known state also applies to the time before it, for which there is no
-- record.
select
    customers.customer_id,
    coalesce(last_of_day.segment, 'unknown') as segment,
    last_of_day.industry,
    coalesce(last_of_day.region, countries.region) as region,
    last_of_day.plan,
    last_of_day.owner_id as csm_owner_id,
    case
        when lag(last_of_day.valid_from_date) over versions_in_order is not null
            then last_of_day.valid_from_date
        else date '1900-01-01'
    end as starts_date,
    lead(last_of_day.valid_from_date) over versions_in_order as ends_date

from customers
left join last_of_day on customers.customer_id = last_of_day.customer_id
left join countries on last_of_day.country = countries.country

window versions_in_order as (
    partition by customers.customer_id order by last_of_day.valid_from_date
)
