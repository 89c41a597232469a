-- Half-open bands from 0 to 100: the next begins where one ends.
with

bands as (

    select
        band,
        low,
        high,
        lag(high, 1, 0::numeric(5, 2)) over (order by low) as previous_high,
        lead(low, 1, 100::numeric(5, 2)) over (order by low) as next_low

    from {{ ref('health_bands') }}

)

select * from bands

where low != previous_high or high != next_low
