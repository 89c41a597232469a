with

customer_days as (

    select * from {{ ref('int_customer_days_to_score') }}

),

-- Invoices that were written off are not overdue.
invoices as (

    select * from {{ ref('int_invoices') }}

    where {{ is_due_invoice() }} and due_date <= {{ as_of() }}

),

reach as (

    select max(issued_date) as last_date from {{ ref('int_invoices') }}

),

overdue as (

    select
        customer_days.customer_id,
        customer_days.as_of_date,
        count(*) as invoice_count,
        max(customer_days.as_of_date - invoices.due_date) filter (
            where
            invoices.settled_date is null
            or invoices.settled_date > customer_days.as_of_date
        ) as days_overdue

    from customer_days
    inner join invoices
        on
            customer_days.customer_id = invoices.customer_id
            and customer_days.as_of_date >= invoices.due_date
            and customer_days.as_of_date - invoices.due_date
            < {{ policy('overdue_memory_days', 'int') }}

    group by customer_days.customer_id, customer_days.as_of_date

),

cancellations as (

    select
        customer_days.customer_id,
        customer_days.as_of_date,
        count(distinct cancellations.subscription_key) as cancelling_subscriptions,
        min(cancellations.effective_date) as cancellation_date

    from customer_days
    inner join {{ ref('int_cancellations') }} as cancellations
        on
            customer_days.customer_id = cancellations.customer_id
            and customer_days.as_of_date >= cancellations.requested_date
            and customer_days.as_of_date < cancellations.effective_date

    group by customer_days.customer_id, customer_days.as_of_date

)

select
    customer_days.customer_id,
    customer_days.as_of_date,
    case when overdue.invoice_count > 0 then coalesce(overdue.days_overdue, 0) end
        as days_overdue,
    coalesce(cancellations.cancelling_subscriptions, 0) as cancelling_subscriptions,
    cancellations.cancellation_date,
    least(customer_days.as_of_date, reach.last_date) as invoices_observed_date

from customer_days
cross join reach
left join overdue
    on
        customer_days.customer_id = overdue.customer_id
        and customer_days.as_of_date = overdue.as_of_date
left join cancellations
    on
        customer_days.customer_id = cancellations.customer_id
        and customer_days.as_of_date = cancellations.as_of_date
