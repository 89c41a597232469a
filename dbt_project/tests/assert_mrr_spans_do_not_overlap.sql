-- A day that lies in two spans of a customer and currency counts its MRR twice.
with

spans as (

    select
        customer_id,
        currency,
        valid_from,
        lag(coalesce(valid_to, 'infinity')) over (
            partition by customer_id, currency order by valid_from
        ) as valid_to_before

    from {{ ref('fct_mrr_spans') }}

)

select * from spans

where valid_from < valid_to_before
