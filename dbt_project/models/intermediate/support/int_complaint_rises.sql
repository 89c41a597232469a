{{ config(materialized='table') }}

with

month_ends as (

    select
        month,
        closing_date

    from {{ ref('int_months') }}

),

-- Only customers with a ticket are rated: a customer without tickets is not necessarily
-- healthy.
counted as (

    select
        month_ends.month,
        replies.customer_id,
        replies.segment,
        count(*) filter (where month_ends.closing_date - replies.opened_date < 30)
            as recent_tickets,
        count(*) filter (where month_ends.closing_date - replies.opened_date >= 30)
            as earlier_tickets

    from month_ends
    inner join {{ ref('int_first_replies') }} as replies
        on
            month_ends.closing_date >= replies.opened_date
            and month_ends.closing_date - 120 < replies.opened_date
    inner join {{ ref('int_retention_by_customer_month') }} as paying
        on
            month_ends.month = paying.month
            and replies.customer_id = paying.customer_id
            and paying.is_kept

    group by month_ends.month, replies.customer_id, replies.segment

),

-- Few distinct pairs of counts occur, so each tail probability is computed once.
pairs as (

    select distinct
        recent_tickets,
        earlier_tickets,
        greatest(earlier_tickets, {{ policy('complaint_base_floor', 'int') }})
        / 3::numeric as expected_tickets

    from counted

),

tested as (

    select
        recent_tickets,
        earlier_tickets,
        expected_tickets::numeric(12, 4) as expected_tickets,
        {{ poisson_tail('recent_tickets', 'expected_tickets') }} as p_value

    from pairs

)

select
    counted.*,
    tested.expected_tickets,
    tested.p_value,
    tested.p_value < {{ policy('complaint_rise_p_value') }} as is_rise

from counted
inner join tested
    on
        counted.recent_tickets = tested.recent_tickets
        and counted.earlier_tickets = tested.earlier_tickets
