-- Every recurring invoice line and every subscription of a file must have a term.
with

expected as (

    select term_key from {{ ref('int_stripe_terms') }}

    union all

    select subscription_id from {{ ref('stg_files__subscriptions') }}

)

select expected.term_key

from expected
left join {{ ref('int_subscription_lines') }} as lines
    on expected.term_key = lines.term_key

where lines.term_key is null
