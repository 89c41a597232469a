with

signals as (

    select * from {{ ref('fct_risk_signals') }}

),

stays as (

    select * from {{ ref('int_customer_stays') }}

)

-- Judged from the day it was known, for that is when somebody could act.
select
    signals.episode_id,
    signals.customer_id,
    signals.signal,
    signals.known_date,
    signals.closed_date,
    signals.known_date <= {{ as_of() }} - {{ policy('signal_horizon_days', 'int') }}
        as is_mature,
    coalesce(
        stays.churned_date - signals.known_date
        <= {{ policy('signal_horizon_days', 'int') }},
        false
    ) as is_followed_by_churn

from signals
inner join stays
    on
        signals.customer_id = stays.customer_id
        and signals.known_date >= stays.starts_date
        and signals.known_date < coalesce(stays.churned_date, 'infinity'::date)
