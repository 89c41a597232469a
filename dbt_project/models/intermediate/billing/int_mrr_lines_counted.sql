with

lines as (

    select * from {{ ref('int_subscription_lines') }}

),

switches as (

    select * from {{ ref('int_mrr_policy_stages') }}

),

subscriptions as (

    select
        source,
        subscription_key,
        customer_id,
        min(starts_date) as starts_date,
        max(ended_date) as ended_date

    from {{ ref('int_subscription_lines') }}

    group by source, subscription_key, customer_id

),

-- A subscription is replaced, not lost, when another one of the same customer starts
-- before the month ends.
replaced as (

    select distinct
        earlier.source,
        earlier.subscription_key

    from subscriptions as earlier
    inner join subscriptions as later
        on
            earlier.customer_id = later.customer_id
            and earlier.subscription_key != later.subscription_key
            and earlier.ended_date <= later.starts_date
            and {{ month_after('earlier.ended_date') }} > later.starts_date

),

-- Days that a policy counts if every bill is paid and every renewal is in time.
counted as (

    select
        switches.policy,
        switches.position,
        switches.renewal_tolerance_days,
        lines.source,
        lines.subscription_key,
        lines.customer_id,
        lines.currency,
        lines.sold_unit,
        lines.quantity,
        {{ monthly_amount('lines', 'switches') }} as mrr_amount,
        case switches.fx_rate
            when 'service_start' then lines.starts_date
            when 'purchase' then lines.subscription_starts_date
        end as rated_date,
        lines.starts_date,
        case
            when
                switches.cancel_recognised = 'after_month_end'
                and replaced.subscription_key is null
                and lines.ended_date
                = least(
                    lines.next_starts_date, lines.period_ends_date, lines.ended_date
                )
                then {{ month_after('lines.ended_date') }}
            else
                least(
                    case
                        when switches.proration = 'full_price'
                            then lines.next_starts_date
                        else lines.next_period_date
                    end,
                    lines.period_ends_date,
                    lines.ended_date,
                    case
                        when switches.cancel_recognised = 'at_request'
                            then lines.cancel_requested_date
                    end
                )
        end as ends_date

    from lines
    cross join switches
    left join replaced
        on
            lines.source = replaced.source
            and lines.subscription_key = replaced.subscription_key

    where
        (not lines.is_trial or switches.trial = 'counted')
        and (not lines.is_paused or switches.paused = 'counted')
        and (not lines.is_metered or switches.metered = 'counted')
        and (not lines.is_credit or switches.proration = 'billed')
        and (not lines.is_proration or switches.proration != 'ignored')

)

select * from counted

where mrr_amount != 0 and (ends_date is null or ends_date > starts_date)
