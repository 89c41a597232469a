with

scored_days as (

    select
        as_of_date,
        lead(as_of_date) over (order by as_of_date) as next_date

    from (
        select history.as_of_date
        from {{ ref('int_customer_metrics_history') }} as history

        union

        select {{ as_of() }} as as_of_date
    ) as days

)

select
    history.customer_id,
    history.as_of_date,
    to_jsonb(history) as metrics

from {{ ref('int_customer_metrics_history') }} as history

union all

-- Who is missing on the next day that was looked at is no longer a customer.
select
    history.customer_id,
    scored_days.next_date as as_of_date,
    null as metrics

from {{ ref('int_customer_metrics_history') }} as history
inner join scored_days on history.as_of_date = scored_days.as_of_date

where
    scored_days.next_date is not null
    and not exists (
        select 1 from {{ ref('int_customer_metrics_history') }} as later
        where
            history.customer_id = later.customer_id
            and scored_days.next_date = later.as_of_date
    )
