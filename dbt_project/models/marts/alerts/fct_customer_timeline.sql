with

alerts as (

    select * from {{ ref('int_alerts') }}

),

events as (

    select * from {{ ref('int_timeline_crm') }}

    union all

    select * from {{ ref('int_timeline_money') }}

    union all

    select * from {{ ref('int_timeline_use') }}

    union all

    select
        customer_id,
        known_date as event_date,
        'alerts' as source,
        'alert_opened' as part,
        alert_rule as kind,
        evidence as sentence,
        evidence_ids

    from alerts

    union all

    select
        customer_id,
        closed_date as event_date,
        'alerts' as source,
        'alert_closed' as part,
        alert_rule as kind,
        replace(close_reason, '_', ' ') || ' after ' || open_days || ' days'
            as sentence,
        evidence_ids

    from alerts

    where closed_date is not null

)

select
    customer_id,
    event_date,
    row_number() over (
        partition by customer_id, event_date
        order by
            array_position(
                array['happened', 'done', 'alert_opened', 'alert_closed'], part
            ) asc,
            kind asc,
            evidence_ids asc,
            sentence asc
    )::int as event_number,
    source,
    part,
    kind,
    sentence,
    evidence_ids

from events
