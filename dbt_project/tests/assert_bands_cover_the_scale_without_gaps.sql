-- The half-open bands must cover 0 to 100 without gaps on each date on which they
-- change, and no date may have fewer bands than the one before.
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
