-- Half-open bands from 0 to 100, on each date from which they hold: the next begins
-- where one ends, and no date names fewer bands than the one before.
with

bands as (

    select
        valid_from,
        band,
        low,
        high,
        count(*) over (partition by valid_from) as band_count,
        lag(high, 1, 0::numeric(5, 2)) over of_date as previous_high,
        lead(low, 1, 100::numeric(5, 2)) over of_date as next_low

    from {{ ref('health_bands') }}

    window of_date as (partition by valid_from order by low)

)

select * from bands

where
    low != previous_high
    or high != next_low
    or band_count != (
        select count(distinct every.band) from {{ ref('health_bands') }} as every
    )
