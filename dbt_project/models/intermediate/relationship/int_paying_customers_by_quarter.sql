{{ config(materialized='table') }}

with

spans as (

    select * from {{ ref('int_mrr_spans') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

attributes as (

    select * from {{ ref('int_customer_attribute_ranges') }}

),

first_days as (

    select
        customer_id,
        min(valid_from) as first_paid_date

    from spans

    group by customer_id

),

-- The first quarter is the one of the first meeting on record.
quarters as (

    select
        quarter.day::date as quarter,
        (quarter.day + interval '3 months')::date as next_quarter,
        (quarter.day + interval '6 months')::date as quarter_after

    from generate_series(
        (
            select date_trunc('quarter', min(meetings.meeting_date))
            from {{ ref('int_meeting_records') }} as meetings
        ),
        date_trunc('quarter', {{ as_of() }} + 1) - interval '3 months',
        interval '3 months'
    ) as quarter (day)

),

paying as (

    select
        quarters.quarter,
        spans.customer_id,
        sum(spans.mrr_reporting_amount)::numeric(18, 4) as mrr_reporting_amount

    from quarters
    inner join spans
        on daterange(spans.valid_from, spans.valid_to) @> (quarters.next_quarter - 1)

    group by quarters.quarter, spans.customer_id

),

retained as (

    select distinct
        quarters.quarter,
        spans.customer_id

    from quarters
    inner join spans
        on daterange(spans.valid_from, spans.valid_to) @> (quarters.quarter_after - 1)

    -- A span in force is known up to as_of only.
    where quarters.quarter_after <= {{ as_of() }} + 1

)

select
    paying.quarter,
    quarters.next_quarter,
    paying.customer_id,
    coalesce(attributes.segment, customers.segment) as segment,
    coalesce(attributes.csm_owner_id, customers.csm_id, 'none') as csm_id,
    paying.mrr_reporting_amount,
    quarters.quarter - first_days.first_paid_date as age_days,
    -- Null until the quarter after has ended.
    case
        when quarters.quarter_after <= {{ as_of() }} + 1
            then retained.customer_id is null
    end as is_churned_a_quarter_later

from paying
inner join quarters on paying.quarter = quarters.quarter
inner join first_days on paying.customer_id = first_days.customer_id
inner join customers on paying.customer_id = customers.customer_id
left join attributes
    on
        paying.customer_id = attributes.customer_id
        and quarters.next_quarter > attributes.starts_date
        and (
            attributes.ends_date is null
            or quarters.next_quarter <= attributes.ends_date
        )
left join retained
    on
        paying.quarter = retained.quarter
        and paying.customer_id = retained.customer_id
