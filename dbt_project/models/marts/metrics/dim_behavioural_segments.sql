with

adoption as (

    select
        customer_id,
        behavioural_segment,
        as_of_date,
        lag(behavioural_segment) over days as previous_segment,
        as_of_date - lag(as_of_date) over days as gap_days

    from {{ ref('fct_product_adoption_daily') }}

    where as_of_date <= {{ as_of() }}

    window days as (partition by customer_id order by as_of_date)

),

-- A time without MRR ends the range, even if the segment is the same afterwards.
turns as (

    select
        *,
        coalesce(gap_days > {{ policy('segment_gap_days', 'int') }}, true) as is_start

    from adoption

),

numbered as (

    select
        *,
        count(*) filter (
            where is_start or behavioural_segment != previous_segment
        ) over (partition by customer_id order by as_of_date) as stretch

    from turns

),

stretches as (

    select
        customer_id,
        behavioural_segment,
        (array_agg(case when not is_start then previous_segment end order by as_of_date)
        )[1] as previous_segment,
        (array_agg(is_start order by as_of_date))[1] as is_start,
        min(as_of_date) as starts_date,
        max(as_of_date) as last_date

    from numbered

    group by customer_id, behavioural_segment, stretch

),

ended as (

    select
        *,
        lead(starts_date) over stretches_in_order as next_date,
        lead(is_start) over stretches_in_order as is_next_start

    from stretches

    window stretches_in_order as (partition by customer_id order by starts_date)

)

select
    customer_id,
    behavioural_segment,
    previous_segment,
    last_date = {{ as_of() }} as is_current,
    starts_date,
    case
        when not is_next_start then next_date
        when last_date < {{ as_of() }} then last_date + 1
    end as ends_date

from ended
