with

customers as (

    select * from {{ ref('dim_customers') }}

),

health as (

    select * from {{ ref('fct_customer_health_daily') }}

),

-- First scored day of the current uninterrupted disagreement.
agreed as (

    select
        customer_id,
        max(as_of_date) filter (where sentiment_disagreement is null)
            as last_agreed_date,
        min(as_of_date) as first_date

    from health

    where as_of_date <= {{ as_of() }}

    group by customer_id

),

disagreed as (

    select
        health.customer_id,
        min(health.as_of_date) as since_date

    from health
    inner join agreed
        on
            health.customer_id = agreed.customer_id
            and health.as_of_date
            > coalesce(agreed.last_agreed_date, agreed.first_date - 1)

    group by health.customer_id

)

select
    health.customer_id,
    customers.csm_id,
    health.segment,
    health.sentiment_disagreement,
    health.csm_sentiment,
    health.csm_sentiment_date,
    health.score,
    health.band,
    health.main_reason,
    (health.mrr_reporting_amount * 12)::numeric(18, 4) as arr_amount,
    customers.renewal_date,
    disagreed.since_date,
    health.as_of_date

from health
inner join customers on health.customer_id = customers.customer_id
inner join disagreed on health.customer_id = disagreed.customer_id

where
    health.as_of_date = {{ as_of() }}
    and health.sentiment_disagreement is not null
