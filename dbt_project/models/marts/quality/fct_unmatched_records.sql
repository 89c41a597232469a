with

unmatched as (

    select * from {{ ref('int_unmatched_records') }}

),

mrr as (

    select
        customer_id,
        sum(mrr_reporting_amount)::numeric(18, 4) as mrr_reporting_amount

    from {{ ref('int_mrr_spans') }}

    where valid_to is null

    group by customer_id

)

select
    unmatched.source,
    unmatched.record_kind,
    unmatched.source_key,
    unmatched.customer_id,
    unmatched.reason,
    unmatched.record_count,
    case
        when unmatched.record_kind = 'payer'
            then coalesce(mrr.mrr_reporting_amount, 0)
    end::numeric(18, 4) as mrr_reporting_amount,
    {{ policy('reporting_currency', 'text') }} as reporting_currency,
    {{ as_of() }} as as_of_date

from unmatched
left join mrr on unmatched.customer_id = mrr.customer_id
