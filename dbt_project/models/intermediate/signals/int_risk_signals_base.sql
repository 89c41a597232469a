with

judged as (

    select * from {{ ref('int_risk_signals_judged') }}

),

stays as (

    select * from {{ ref('int_customer_stays') }}

),

windows as (

    select
        signal,
        min(known_date) as observed_from_date,
        {{ as_of() }} + 1 - {{ policy('signal_horizon_days', 'int') }} as ends_date

    from judged

    group by signal

),

-- The days on which the signal could have been raised, and those of them that were
-- followed by leaving: what a warning at random would be right about.
days as (

    select
        windows.signal,
        windows.observed_from_date,
        greatest(
            least(coalesce(stays.churned_date, windows.ends_date), windows.ends_date)
            - greatest(stays.starts_date, windows.observed_from_date),
            0
        ) as day_count,
        greatest(
            least(stays.churned_date, windows.ends_date)
            - greatest(
                stays.starts_date,
                windows.observed_from_date,
                stays.churned_date - {{ policy('signal_horizon_days', 'int') }}
            ),
            0
        ) as churn_day_count,
        stays.churned_date

    from windows
    cross join stays

)

select
    signal,
    observed_from_date,
    (
        coalesce(sum(churn_day_count) filter (where churned_date is not null), 0)
        / nullif(sum(day_count), 0)::numeric
    )::numeric(9, 6) as base_rate

from days

group by signal, observed_from_date
