with

scored as (

    select
        customer_id,
        as_of_date,
        score,
        band = 'red' as is_red,
        lag(band = 'red', 1, false) over days as was_red

    from {{ ref('int_customer_health_history') }}

    window days as (partition by customer_id order by as_of_date)

),

runs as (

    select
        *,
        count(*) filter (where is_red and not was_red) over (
            partition by customer_id order by as_of_date
        ) as run

    from scored

)

-- A period ends on the first scored day in another band, or when the customer churns.
select
    'low_score' as alert_rule,
    customer_id,
    {{ midnight_after('min(as_of_date)') }} as opened_at,
    {{ midnight_after(
        "coalesce(min(as_of_date) filter (where not is_red),"
        " nullif(max(as_of_date), " ~ as_of() ~ "))"
    ) }} as closed_at,
    null::timestamptz as answered_by_at,
    'the health score fell to ' || round(min(score) filter (where is_red), 0)
        as evidence,
    'score@' || min(as_of_date) as evidence_list,
    (array_agg(score order by as_of_date desc))[1]::numeric(18, 4) as value

from runs

where run > 0

group by customer_id, run
