{{
    config(
        materialized='incremental',
        incremental_strategy='from_first_day',
        indexes=[{'columns': ['as_of_date', 'metric']}]
    )
}}

-- Each build computes the metrics of its days again; a published day keeps its values.
select
    customer_id,
    as_of_date,
    metric,
    value,
    observed_date

from {{ ref('int_customer_metrics') }}
