{{
    config(
        materialized='incremental',
        incremental_strategy='from_first_day',
        on_schema_change='append_new_columns'
    )
}}

with

groups as (

    select * from {{ ref('int_customer_groups') }}

),

health as (

    select
        *,
        case when band != 'unknown' then mrr_reporting_amount end as measured_amount

    from {{ ref('fct_customer_health_daily') }}

    where as_of_date >= {{ first_day_to_score() }}

),

-- Only customers with a known band are averaged; measured_share is their share of ARR.
weighted as (

    select
        groups.group_id,
        health.as_of_date,
        count(*) as paying_customers,
        count(*) filter (where health.band != 'unknown') as measured_customers,
        sum(health.mrr_reporting_amount) * 12 as arr_amount,
        (
            sum(health.score * health.measured_amount)
            / nullif(sum(health.measured_amount), 0)
        )::numeric(5, 2) as score,
        coalesce(sum(health.measured_amount), 0)
        / nullif(sum(health.mrr_reporting_amount), 0) as measured_share,
        min(health.score) filter (where health.band != 'unknown') as lowest_score,
        (
            array_agg(health.customer_id order by health.score, health.customer_id)
            filter (where health.band != 'unknown')
        )[1] as lowest_customer_id

    from groups
    inner join health on groups.customer_id = health.customer_id

    group by groups.group_id, health.as_of_date

),

bands as (

    select
        *,
        high = max(high) over (partition by valid_from) as is_top,
        lead(valid_from, 1, 'infinity'::date) over (
            partition by band order by valid_from
        ) as valid_to

    from {{ ref('health_bands') }}

)

select
    weighted.group_id,
    weighted.paying_customers,
    weighted.measured_customers,
    weighted.arr_amount::numeric(18, 4) as arr_amount,
    weighted.score,
    weighted.measured_share::numeric(9, 6) as measured_share,
    case
        when
            weighted.score is null
            or weighted.measured_share < {{ policy('min_coverage') }}
            then 'unknown'
        else bands.band
    end as band,
    weighted.lowest_score,
    weighted.lowest_customer_id,
    weighted.as_of_date

from weighted
left join bands
    on {{ within_band('weighted.score', 'bands', 'weighted.as_of_date') }}
