-- A metric based on a record newer than its day would leak future data into the
-- backtest.
select
    customer_id,
    as_of_date,
    metric,
    observed_date

from {{ ref('int_customer_metrics_history') }}

where
    (extract(day from as_of_date + 1) = 1 or as_of_date = {{ as_of() }})
    and observed_date > as_of_date
