with

balances as (

    select * from {{ ref('int_mrr_balances') }}

)

-- Of what is agreed on for later nothing is known at the end of this day.
select
    customer_id,
    currency,
    mrr_amount,
    step_amount,
    starts_date,
    least(ends_date, {{ as_of() }} + 1) as ends_date

from balances

where starts_date <= {{ as_of() }}
