{#- A table, because its size as a view is estimated at one row. -#}
{{ config(materialized='table', indexes=[{'columns': ['customer_id']}]) }}

with

churns as (

    select distinct
        customer_id,
        movement_date as churned_date

    from {{ ref('int_mrr_movements') }}

    where movement = 'churn'

),

cancellations as (

    select * from {{ ref('int_cancellations') }}

),

claims as (

    select * from {{ ref('int_churn_claims') }}

    where not coalesce(is_reactivation, false)

),

churn_reasons as (

    select * from {{ ref('churn_reasons') }}

),

-- A reason stated by the customer takes precedence over the billing system's. A value
-- that names no reason can still tell voluntary from involuntary churn.
stated as (

    select
        customer_id,
        coalesce(cancellation_feedback, cancellation_reason) as vendor_reason,
        cancellation_reason as vendor_type,
        'billing' as reason_source,
        effective_date as stated_date

    from cancellations

    union all

    select
        customer_id,
        lower(reason) as vendor_reason,
        lower(reason) as vendor_type,
        'claim' as reason_source,
        churned_date as stated_date

    from claims

    where reason is not null

),

matched as (

    select
        churns.customer_id,
        churns.churned_date,
        stated.reason_source,
        coalesce(types.churn_type, reasons.churn_type) as churn_type,
        -- A reason that is not in the seed is kept as recorded.
        case
            when reasons.vendor_reason is null then stated.vendor_reason
            else nullif(reasons.churn_reason, '')
        end as churn_reason,
        reasons.is_deliberate_exit,
        abs(stated.stated_date - churns.churned_date) as days_apart

    from churns
    inner join stated
        on
            churns.customer_id = stated.customer_id
            and abs(stated.stated_date - churns.churned_date)
            <= {{ policy('churn_reason_window_days', 'int') }}
    left join churn_reasons as reasons on stated.vendor_reason = reasons.vendor_reason
    left join churn_reasons as types on stated.vendor_type = types.vendor_reason

)

select distinct on (customer_id, churned_date)
    customer_id,
    churned_date,
    reason_source,
    churn_type,
    churn_reason,
    is_deliberate_exit

from matched

order by
    customer_id asc,
    churned_date asc,
    churn_reason is null asc,
    days_apart asc,
    churn_reason asc
