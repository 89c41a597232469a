with

movements as (

    select * from {{ ref('int_mrr_movements') }}

    where movement_date <= {{ as_of() }}

),

invoices as (

    select * from {{ ref('int_invoices') }}

    where {{ is_due_invoice() }} and due_date < {{ as_of() }}

),

cancellations as (

    select * from {{ ref('int_cancellations') }}

    where requested_date <= {{ as_of() }}

)

select
    customer_id,
    movement_date as event_date,
    'billing' as source,
    'happened' as part,
    movement as kind,
    case movement
        when 'new' then 'became a customer: '
        when 'reactivation' then 'came back: '
        when 'churn' then 'left: '
        when 'expansion' then 'grew: '
        else 'shrank: '
    end
    || case when movement_amount > 0 then '+' else '' end
    || to_char(movement_amount, 'FM999999990.00') || ' ' || currency || ' MRR'
        as sentence,
    array['movement:' || movement_date || ':' || currency] as evidence_ids

from movements

union all

-- Invoices less than a week late are not reported: the delay may be the bank transfer.
select
    customer_id,
    due_date + 7 as event_date,
    'billing' as source,
    'happened' as part,
    'invoice_late' as kind,
    'invoice of ' || to_char(total_amount, 'FM999999990.00') || ' ' || currency
    || ' a week late, '
    || case
        when settled_date <= {{ as_of() }}
            then 'settled ' || (settled_date - due_date) || ' days after it was due'
        else 'still open'
    end as sentence,
    array['invoice:' || invoice_id] as evidence_ids

from invoices

where
    due_date + 7 <= {{ as_of() }}
    and coalesce(settled_date, 'infinity'::date) > due_date + 7

union all

select
    customer_id,
    requested_date as event_date,
    'billing' as source,
    'happened' as part,
    'cancellation' as kind,
    'asked to cancel'
    || coalesce(' (' || replace(cancellation_reason, '_', ' ') || ')', '')
    || coalesce(', with effect from ' || effective_date, '') as sentence,
    array['subscription:' || subscription_key] as evidence_ids

from cancellations
