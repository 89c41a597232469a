{{
    config(
        materialized='incremental',
        incremental_strategy='from_first_day',
        indexes=[{'columns': ['as_of_date']}]
    )
}}

-- Each build lists its own days; a published day keeps its customers.
select
    customer_id,
    segment,
    mrr_reporting_amount,
    tenure_days,
    as_of_date

from {{ ref('int_customer_days_to_score') }}
