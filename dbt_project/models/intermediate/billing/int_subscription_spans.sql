with

terms as (

    select * from {{ ref('int_subscription_terms') }}

)

-- One span per subscription, across its terms and items.
select
    source,
    subscription_key,
    customer_id,
    min(product) filter (where not is_add_on) as product,
    max(quantity) filter (where not is_add_on) as quantity,
    bool_and(is_add_on) as is_add_on,
    bool_or(is_upgrade) as is_upgrade,
    bool_or(is_downgrade) as is_downgrade,
    min(starts_date) as starts_date,
    case when bool_and(ends_date is not null) then max(ends_date) end as ends_date

from terms

group by source, subscription_key, customer_id
