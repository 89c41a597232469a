-- Every invoice line that stands for a term, and every subscription of a file, has its
-- term.
with

expected as (

    select term_key from {{ ref('int_stripe_terms') }}

    union all

    select subscription_id from {{ ref('stg_files__subscriptions') }}

)

select term_key from expected

where
    term_key not in (
        select lines.term_key from {{ ref('int_subscription_lines') }} as lines
    )
