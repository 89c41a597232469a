{% set movements = ['new', 'expansion', 'contraction', 'churn', 'reactivation'] %}

with

customer_months as (

    select * from {{ ref('int_retention_by_customer_month') }}

)

select
    month,
    coalesce(segment, 'all') as segment,
    max(reporting_currency) as reporting_currency,
    count(*) filter (where is_open) as opening_customers,
    sum(new_count)::bigint as new_customers,
    sum(reactivation_count)::bigint as reactivated_customers,
    sum(churn_count)::bigint as churned_customers,
    count(*) filter (where is_kept) as closing_customers,
    count(*) filter (where is_open and is_kept) as retained_customers,
    sum(opening_amount)::numeric(18, 4) as opening_amount,
    {% for movement in movements -%}
    sum({{ movement }}_amount)::numeric(18, 4) as {{ movement }}_amount,
    {% endfor -%}
    sum(closing_amount)::numeric(18, 4) as closing_amount,
    sum(kept_amount) filter (where is_open)::numeric(18, 4) as kept_amount,
    sum(least(kept_amount, opening_amount))::numeric(18, 4) as kept_at_most_amount,
    count(*) filter (where is_unconverted) as unconverted_customers

from customer_months

group by grouping sets ((month), (month, segment))
