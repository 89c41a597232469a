{{
    config(
        indexes=[
            {'columns': ['customer_id']},
            {'columns': ['daterange(valid_from, valid_to)'], 'type': 'gist'}
        ]
    )
}}

select
    customer_id,
    currency,
    reporting_currency,
    mrr_amount,
    mrr_reporting_amount,
    is_fx_carried,
    valid_from,
    valid_to

from {{ ref('int_mrr_spans') }}
