with

health as (

    select * from {{ ref('int_customer_health_history') }}

    where score is not null

),

lags as (

    select lags.days from (values (1), (7), (30), (90)) as lags (days)

)

-- Only days of this build: the changes of a published day are not computed again.
select
    today.customer_id,
    today.segment,
    today.as_of_date,
    lags.days,
    today.score,
    today.raw_score,
    today.adjustment,
    today.components,
    earlier.as_of_date as earlier_date,
    earlier.score as earlier_score,
    earlier.raw_score as earlier_raw_score,
    earlier.adjustment as earlier_adjustment,
    asked.doc as asked

from health as today
cross join lags
inner join health as earlier
    on
        today.customer_id = earlier.customer_id
        and today.as_of_date - lags.days = earlier.as_of_date
cross join
    lateral (
        select
            jsonb_object_agg(
                component.doc ->> 'metric',
                jsonb_build_array(
                    component.doc -> 'value', component.doc -> 'age_days'
                )
            ) as doc

        from jsonb_array_elements(earlier.components) as component (doc)

        where component.doc ->> 'metric' is not null
    ) as asked

where
    today.as_of_date >= {{ first_day_to_score() }}
    and today.as_of_date > {{ as_of() }} - {{ var('health_change_days') | int }}
