{{ config(materialized='table') }}

{% set movements = ['new', 'expansion', 'contraction', 'churn', 'reactivation'] %}
{% set dimensions = ['segment', 'industry', 'plan', 'csm', 'region'] %}

with

customer_periods as (

    select * from {{ ref('int_retention_by_customer_period') }}

),

movements as (

    select * from {{ ref('int_mrr_movements') }}

    where movement in ('new', 'reactivation', 'churn')

),

-- Distinct days: a customer with two currencies churns once, not twice.
events as (

    select
        customer_periods.customer_id,
        customer_periods.period,
        customer_periods.starts_date,
        {% for movement in ['new', 'reactivation', 'churn'] -%}
        count(distinct movements.movement_date) filter (
            where movements.movement = '{{ movement }}'
        ) as {{ movement }}_count,
        {% endfor -%}
        max(customer_periods.closing_date) as closing_date

    from customer_periods
    inner join movements
        on
            customer_periods.customer_id = movements.customer_id
            and customer_periods.starts_date <= movements.movement_date
            and customer_periods.closing_date >= movements.movement_date

    group by
        customer_periods.customer_id,
        customer_periods.period,
        customer_periods.starts_date

)

select
    customer_periods.period,
    customer_periods.starts_date,
    case
        {% for dimension in dimensions -%}
        when grouping(customer_periods.{{ dimension }}) = 0 then '{{ dimension }}'
        {% endfor -%}
        else 'all'
    end as dimension,
    coalesce(
        {% for dimension in dimensions -%}
        customer_periods.{{ dimension }},
        {% endfor -%}
        'all'
    ) as dimension_value,
    max(customer_periods.closing_date) as closing_date,
    max(customer_periods.reporting_currency) as reporting_currency,
    count(*) filter (where customer_periods.is_open) as opening_customers,
    coalesce(sum(events.new_count), 0)::bigint as new_customers,
    coalesce(sum(events.reactivation_count), 0)::bigint as reactivated_customers,
    coalesce(sum(events.churn_count), 0)::bigint as churned_customers,
    count(*) filter (where customer_periods.is_kept) as closing_customers,
    count(*) filter (where customer_periods.is_open and customer_periods.is_kept)
        as retained_customers,
    count(*) filter (where customer_periods.is_open and not customer_periods.is_kept)
        as lost_customers,
    sum(customer_periods.opening_amount)::numeric(18, 4) as opening_amount,
    {% for movement in movements -%}
    sum(customer_periods.{{ movement }}_amount)::numeric(18, 4)
        as {{ movement }}_amount,
    {% endfor -%}
    sum(customer_periods.closing_amount)::numeric(18, 4) as closing_amount,
    coalesce(
        sum(customer_periods.kept_amount) filter (where customer_periods.is_open), 0
    )::numeric(18, 4) as kept_amount,
    sum(
        least(customer_periods.kept_amount, customer_periods.opening_amount)
    )::numeric(18, 4) as kept_at_most_amount,
    count(*) filter (where customer_periods.is_unconverted) as unconverted_customers

from customer_periods
left join events
    on
        customer_periods.customer_id = events.customer_id
        and customer_periods.period = events.period
        and customer_periods.starts_date = events.starts_date

group by grouping sets (
    (customer_periods.period, customer_periods.starts_date),
    {% for dimension in dimensions -%}
    (
        customer_periods.period,
        customer_periods.starts_date,
        customer_periods.{{ dimension }}
    ){{ ',' if not loop.last }}
    {% endfor -%}
)
