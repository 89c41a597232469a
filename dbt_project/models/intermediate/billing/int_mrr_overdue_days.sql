{{ config(materialized='table') }}

with

debts as (

    select * from {{ ref('int_invoices') }}

    where
        status != 'void'
        and subscription_key is not null
        -- Filter early: most invoices are paid in time.
        and (
            paid_date is null or paid_date > due_date or written_off_date is not null
        )

),

switches as (

    select * from {{ ref('int_mrr_policy_stages') }}

),

-- Overdue for longer than the policy tolerates, until paid.
late as (

    select
        switches.policy,
        switches.position,
        debts.source,
        debts.subscription_key,
        daterange(
            debts.due_date + switches.past_due_days::int + 1, debts.paid_date
        ) as days

    from debts
    inner join switches
        on
            switches.past_due_days != 'never'
            and (
                debts.paid_date is null
                or debts.paid_date > debts.due_date + switches.past_due_days::int + 1
            )

),

written_off as (

    select
        switches.policy,
        switches.position,
        debts.source,
        debts.subscription_key,
        daterange(debts.written_off_date, debts.paid_date) as days

    from debts
    inner join switches on switches.unpaid = 'churned'

    where
        debts.written_off_date is not null
        and (debts.paid_date is null or debts.paid_date > debts.written_off_date)

),

unioned as (

    select * from late

    union all

    select * from written_off

)

select
    policy,
    position,
    source,
    subscription_key,
    range_agg(days) as days

from unioned

group by policy, position, source, subscription_key
