with

alerts as (

    select * from {{ ref('int_alerts') }}

),

activities as (

    select * from {{ ref('int_activities') }}

    where done_at < {{ midnight_after(as_of()) }}

)

-- The sources do not record whether an activity reacted to the alert.
select distinct on (alerts.alert_id)
    alerts.alert_id,
    activities.activity_id,
    activities.activity_kind,
    activities.done_at,
    (extract(
        epoch from activities.done_at - {{ midnight_after('alerts.known_date') }}
    ) / 3600)::numeric(12, 2) as hours_to_activity

from alerts
inner join activities
    on
        alerts.customer_id = activities.customer_id
        and {{ midnight_after('alerts.known_date') }} <= activities.done_at
        and {{ midnight_after(
            "alerts.known_date + " ~ policy('alert_horizon_days', 'int')
        ) }} > activities.done_at

order by
    alerts.alert_id asc, activities.done_at asc, activities.activity_id asc
