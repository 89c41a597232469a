{{ config(**rebuilt()) }}

with

stripe_terms as (

    select * from {{ ref('int_stripe_terms') }}

),

files_subscriptions as (

    select * from {{ ref('stg_files__subscriptions') }}

),

identities as (

    select * from {{ ref('int_customer_identities') }}

),

-- Materialized: a small set that every line looks up.
cancellations as materialized (

    select * from {{ ref('int_cancellations') }}

),

intervals as (

    select * from {{ ref('billing_intervals') }}

),

stripe as (

    select
        source,
        term_key,
        subscription_key,
        item_key,
        account_key,
        product,
        currency,
        quantity,
        billing_interval,
        interval_count,
        full_amount,
        discount_amount,
        billed_amount,
        added_tax_amount,
        included_tax_amount,
        discount_kind,
        is_line_discount,
        is_trial,
        is_paused,
        is_metered,
        is_proration,
        is_credit,
        starts_date,
        next_starts_date,
        next_period_date,
        period_ends_date,
        ended_date,
        null as unit,
        null::int as billing_period_months,
        false as is_add_on,
        null::boolean as is_upgrade,
        null::boolean as is_downgrade,
        true as auto_renews,
        null::date as contract_ends_date

    from stripe_terms

),

-- Files state MRR net of discounts. A term without a contract is its own contract.
files as (

    select
        'files' as source,
        subscription_id as term_key,
        contract_id as subscription_key,
        null as item_key,
        account_id as account_key,
        product,
        currency,
        quantity,
        'month' as billing_interval,
        1 as interval_count,
        coalesce(mrr_amount / nullif(1 - discount_rate, 0), mrr_amount)::numeric(24, 8)
            as full_amount,
        coalesce(
            mrr_amount / nullif(1 - discount_rate, 0) - mrr_amount, 0
        )::numeric(24, 8) as discount_amount,
        mrr_amount::numeric(24, 8) as billed_amount,
        0::numeric(24, 8) as added_tax_amount,
        0::numeric(24, 8) as included_tax_amount,
        'forever' as discount_kind,
        true as is_line_discount,
        coalesce(is_trial, false) as is_trial,
        false as is_paused,
        false as is_metered,
        false as is_proration,
        false as is_credit,
        starts_date,
        null::date as next_starts_date,
        null::date as next_period_date,
        ends_date as period_ends_date,
        case
            when count(*) over contract = count(ends_date) over contract
                then max(ends_date) over contract
        end as ended_date,
        unit,
        billing_period_months,
        coalesce(is_add_on, false) as is_add_on,
        is_upgrade,
        is_downgrade,
        auto_renews,
        contract_ends_date

    from files_subscriptions

    window contract as (partition by contract_id)

),

unioned as (

    select * from stripe

    union all

    select * from files

)

select
    unioned.*,
    identities.customer_id,
    cancellations.requested_date as cancel_requested_date,
    min(unioned.starts_date) over (
        partition by unioned.source, unioned.subscription_key
    ) as subscription_starts_date,
    -- Seats are one unit in every plan, so a change of plan is a price effect.
    case
        when
            coalesce(unioned.unit, unioned.product)
            ~* {{ policy('seat_pattern', 'text') }}
            then 'seat'
        else coalesce(unioned.product, '')
    end as sold_unit,
    intervals.months as interval_months

from unioned
inner join identities
    on
        unioned.source = identities.source
        and unioned.account_key = identities.source_key
left join cancellations
    on
        unioned.source = cancellations.source
        and unioned.subscription_key = cancellations.subscription_key
        -- Contract numbers are unique only within a customer.
        and identities.customer_id = cancellations.customer_id
left join intervals on unioned.billing_interval = intervals.billing_interval

where {{ is_to_rebuild('identities.customer_id') }}
