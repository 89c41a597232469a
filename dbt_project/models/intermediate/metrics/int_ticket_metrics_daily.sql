with

customer_days as (

    select * from {{ ref('int_customer_days_to_score') }}

),

tickets as (

    select * from {{ ref('int_tickets') }}

    where customer_id is not null and opened_date <= {{ as_of() }}

),

counted as (

    select
        customer_days.customer_id,
        customer_days.as_of_date,
        count(*) filter (where customer_days.as_of_date - tickets.opened_date < 30)
            as recent_tickets,
        count(*) filter (where customer_days.as_of_date - tickets.opened_date >= 30)
            as earlier_tickets,
        count(*) filter (
            where tickets.closed_at is null
            or tickets.closed_at::date > customer_days.as_of_date
        ) as open_tickets,
        -- An unanswered ticket counts with its wait so far; excluding it would improve
        -- the median of a team that does not answer.
        percentile_cont(0.5) within group (
            order by
                case
                    when tickets.first_reply_at::date <= customer_days.as_of_date
                        then tickets.first_reply_hours
                    else (customer_days.as_of_date + 1 - tickets.opened_date) * 24
                end
        ) as median_first_reply_hours,
        max(tickets.opened_date) as last_ticket_date

    from customer_days
    inner join tickets
        on
            customer_days.customer_id = tickets.customer_id
            and customer_days.as_of_date >= tickets.opened_date
            and customer_days.as_of_date - tickets.opened_date < 120

    group by customer_days.customer_id, customer_days.as_of_date

)

-- Without earlier tickets the ratio is null, not zero. Days before the first collected
-- ticket are unknown, not quiet.
select
    customer_id,
    as_of_date,
    case
        when as_of_date - (select min(tickets.opened_date) from tickets) >= 119
            then recent_tickets / nullif(earlier_tickets / 3::numeric, 0)
    end::numeric(9, 4) as ticket_surge_ratio,
    median_first_reply_hours::numeric(12, 2) as median_first_reply_hours,
    open_tickets,
    last_ticket_date as tickets_observed_date

from counted
