with

churns as (

    select * from {{ ref('int_churns') }}

),

warning_signs as materialized (

    select * from {{ ref('int_warning_signs') }}

),

activities as materialized (

    select * from {{ ref('int_activities') }}

    where done_at::date <= {{ as_of() }}

),

-- A sign on the day of the loss is too late to be a warning.
warned as (

    select
        churns.customer_id,
        churns.churned_date,
        array_agg(
            distinct warning_signs.sign_id order by warning_signs.sign_id
        ) as warning_ids,
        array_agg(distinct warning_signs.sign order by warning_signs.sign)
            as warning_signs,
        min(warning_signs.raised_date) as first_warning_date

    from churns
    inner join warning_signs
        on
            churns.customer_id = warning_signs.customer_id
            and churns.churned_date > warning_signs.raised_date
            and churns.churned_date
            <= warning_signs.raised_date + {{ policy('warning_window_days', 'int') }}

    group by churns.customer_id, churns.churned_date

)

select
    churns.customer_id,
    churns.churned_date,
    coalesce(warned.warning_signs, '{}') as warning_signs,
    coalesce(warned.warning_ids, '{}') as warning_ids,
    coalesce(cardinality(warned.warning_ids), 0) as alerts_before,
    warned.first_warning_date,
    count(activities.done_at) as actions_taken,
    count(activities.done_at) filter (
        where activities.done_at::date >= warned.first_warning_date
    ) as actions_after_warning

from churns
left join warned
    on
        churns.customer_id = warned.customer_id
        and churns.churned_date = warned.churned_date
left join activities
    on
        churns.customer_id = activities.customer_id
        and churns.churned_date > activities.done_at::date
        and churns.churned_date
        <= activities.done_at::date + {{ policy('warning_window_days', 'int') }}

group by
    churns.customer_id,
    churns.churned_date,
    warned.warning_signs,
    warned.warning_ids,
    warned.first_warning_date
