with

contracts as (

    select * from {{ ref('int_contract_terms') }}

),

customers as (

    select * from {{ ref('int_customers') }}

),

-- Days that supply MRR at the renewal: the last day before it and, for a late renewal,
-- the first day after.
paid_from as (

    select
        contracts.customer_id,
        contracts.renewal_date,
        min(greatest(ranges.starts_date, contracts.renewal_date)) as renewed_date

    from contracts
    inner join {{ ref('int_mrr_ranges') }} as ranges
        on
            contracts.customer_id = ranges.customer_id
            and ranges.mrr_amount > 0
            and contracts.renewal_date < ranges.ends_date

    where contracts.renewal_date <= {{ as_of() }}

    group by contracts.customer_id, contracts.renewal_date

),

targets as (

    select
        contracts.customer_id,
        contracts.renewal_date,
        sum(spans.mrr_reporting_amount)::numeric(18, 4) as mrr_amount

    from contracts
    inner join {{ ref('int_mrr_spans') }} as spans
        on
            contracts.customer_id = spans.customer_id
            and daterange(spans.valid_from, spans.valid_to)
            @> least(contracts.renewal_date - 1, {{ as_of() }})

    group by contracts.customer_id, contracts.renewal_date

),

renewed as (

    select
        paid_from.customer_id,
        paid_from.renewal_date,
        sum(spans.mrr_reporting_amount)::numeric(18, 4) as mrr_amount

    from paid_from
    inner join {{ ref('int_mrr_spans') }} as spans
        on
            paid_from.customer_id = spans.customer_id
            and daterange(spans.valid_from, spans.valid_to) @> paid_from.renewed_date

    group by paid_from.customer_id, paid_from.renewal_date

),

valued as (

    select
        contracts.*,
        customers.segment,
        paid_from.renewed_date,
        paid_from.renewed_date - contracts.renewal_date as days_late,
        targets.mrr_amount as target_mrr_amount,
        coalesce(renewed.mrr_amount, 0)::numeric(18, 4) as renewed_mrr_amount,
        case
            when contracts.renewal_date > {{ as_of() }} and contracts.is_cancelling
                then 'cancelling'
            when contracts.renewal_date > {{ as_of() }} then 'open'
            when paid_from.renewed_date = contracts.renewal_date then 'on_time'
            when
                paid_from.renewed_date - contracts.renewal_date
                <= {{ policy('late_renewal_days', 'int') }}
                then 'late'
            when
                {{ as_of() }} - contracts.renewal_date
                <= {{ policy('late_renewal_days', 'int') }}
                then 'waiting'
            when paid_from.renewed_date is not null then 'resurrected'
            else 'lost'
        end as status

    from contracts
    inner join customers on contracts.customer_id = customers.customer_id
    left join paid_from
        on
            contracts.customer_id = paid_from.customer_id
            and contracts.renewal_date = paid_from.renewal_date
    inner join targets
        on
            contracts.customer_id = targets.customer_id
            and contracts.renewal_date = targets.renewal_date
    left join renewed
        on
            contracts.customer_id = renewed.customer_id
            and contracts.renewal_date = renewed.renewal_date

),

-- Share of the segment's renewals, decided in the last two years, that were not renewed
-- in time.
history as (

    select
        segment,
        count(*) as decided_renewals,
        count(*) filter (where status in ('lost', 'resurrected')) as lost_renewals

    from valued

    where
        status in ('on_time', 'late', 'lost', 'resurrected')
        and renewal_date > ({{ as_of() }} - interval '2 years')::date

    group by segment

),

estimated as (

    select
        valued.*,
        history.decided_renewals,
        case
            when valued.status = 'cancelling' then 1
            when history.decided_renewals >= {{ policy('renewal_min_history', 'int') }}
                then history.lost_renewals::numeric / history.decided_renewals
        end::numeric(9, 6) as not_renew_rate

    from valued
    left join history on valued.segment = history.segment

)

select
    customer_id,
    renewal_date,
    starts_date as contract_starts_date,
    notice_date,
    notice_date - {{ policy('notice_lead_days', 'int') }} as alert_date,
    segment,
    status,
    auto_renews,
    is_multi_year,
    case when status in ('open', 'cancelling') then notice_date - {{ as_of() }} end
        as days_to_notice,
    status = 'open'
    and notice_date - {{ policy('notice_lead_days', 'int') }} <= {{ as_of() }}
        as is_alert,
    renewed_date,
    days_late,
    target_mrr_amount,
    (case when renewal_date <= {{ as_of() }} then renewed_mrr_amount end)::numeric(
        18, 4
    )
        as renewed_mrr_amount,
    case
        when renewal_date <= {{ as_of() }}
            then least(renewed_mrr_amount, target_mrr_amount)
    end::numeric(18, 4) as gross_renewed_mrr_amount,
    -- A won renewal counts with its new MRR, an open one with its target; both at most
    -- the target.
    case
        when status = 'open' then target_mrr_amount
        when status in ('on_time', 'late')
            then least(renewed_mrr_amount, target_mrr_amount)
        else 0
    end::numeric(18, 4) as forecast_mrr_amount,
    not_renew_rate,
    decided_renewals as rate_renewals,
    case
        when status in ('open', 'cancelling')
            then 12 * target_mrr_amount * not_renew_rate
    end::numeric(18, 4) as at_risk_arr_amount,
    {{ as_of() }} as as_of_date

from estimated
