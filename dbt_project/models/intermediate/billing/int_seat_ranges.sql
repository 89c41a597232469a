with

terms as (

    select * from {{ ref('int_subscription_terms') }}

    where not is_trial and not is_add_on

)

select
    customer_id,
    quantity as seats,
    starts_date,
    coalesce(ends_date, {{ as_of() }} + 1) as ends_date

from terms

where coalesce(unit, product) ~* {{ policy('seat_pattern', 'text') }}
