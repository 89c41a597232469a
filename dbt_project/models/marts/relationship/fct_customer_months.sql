with

growth as (

    select * from {{ ref('int_account_growth_by_month') }}

),

payments as (

    select * from {{ ref('int_payment_behaviour_by_month') }}

)

select
    coalesce(growth.month, payments.month) as month,
    coalesce(growth.customer_id, payments.customer_id) as customer_id,
    growth.segment,
    growth.mrr_amount,
    growth.year_ago_mrr_amount,
    growth.growth_rate,
    growth.expansion_mrr_amount,
    growth.expansion_rate,
    growth.new_projects,
    growth.wallet_share,
    growth.quarter_new_projects,
    growth.quarter_wallet_share_change,
    payments.issued_invoices,
    payments.failed_charges,
    payments.settled_invoices,
    payments.mean_days_late,
    payments.max_days_late,
    payments.own_mean_days_late,
    payments.days_late_change,
    payments.overdue_invoices,
    payments.max_days_overdue,
    payments.overdue_amount

from growth
full join payments
    on
        growth.month = payments.month
        and growth.customer_id = payments.customer_id
