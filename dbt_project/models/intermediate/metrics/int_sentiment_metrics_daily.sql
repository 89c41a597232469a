with

customer_days as (

    select * from {{ ref('int_customer_days_to_score') }}

),

customer_keys as (

    select * from {{ ref('int_customer_keys') }}

),

-- All versions, not only the newest: the sentiment of a day is the CRM's value at its
-- end.
versions as (

    select
        customer_keys.customer_id,
        companies.source_updated_at::date as said_date,
        companies.source_updated_at,
        companies.version_id,
        companies.doc #>> '{properties,csm_sentiment}' as sentiment

    from {{ source('hubspot', 'companies') }} as companies
    inner join customer_keys on companies.record_id = customer_keys.account_key

    where
        companies.loaded_at <= {{ known_at() }}
        and not companies.deleted
        and companies.doc #>> '{properties,csm_sentiment}' ~ '^[1-5]$'

),

days as (

    select distinct on (customer_id, said_date)
        customer_id,
        said_date,
        sentiment::numeric(6, 2) as csm_sentiment

    from versions

    order by
        customer_id asc,
        said_date asc,
        source_updated_at desc,
        version_id desc

),

ranges as (

    select
        *,
        lead(said_date, 1, 'infinity'::date) over (
            partition by customer_id order by said_date
        ) as until_date

    from days

)

select
    customer_days.customer_id,
    customer_days.as_of_date,
    ranges.csm_sentiment,
    ranges.said_date as sentiment_observed_date

from customer_days
inner join ranges
    on
        customer_days.customer_id = ranges.customer_id
        and customer_days.as_of_date >= ranges.said_date
        and customer_days.as_of_date < ranges.until_date
