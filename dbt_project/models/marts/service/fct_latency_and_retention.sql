with

quarters as (

    select
        *,
        (ends_date + interval '6 months')::date as judged_date

    from {{ ref('int_fiscal_quarters') }}

    where ends_date + interval '6 months' <= {{ as_of() }} + 1

),

replies as (

    select
        quarters.quarter,
        quarters.ends_date,
        quarters.judged_date,
        replies.customer_id,
        percentile_cont(0.5) within group (order by replies.calendar_hours)
            as median_hours

    from quarters
    inner join {{ ref('int_first_replies') }} as replies
        on
            quarters.quarter <= replies.opened_date
            and quarters.ends_date > replies.opened_date

    group by
        quarters.quarter, quarters.ends_date, quarters.judged_date,
        replies.customer_id

),

-- Who paid at the quarter's end, and whether it still does half a year on. Without a
-- ticket there is no latency: such customers are a band of their own.
followed as (

    select
        quarters.quarter,
        paying.customer_id,
        replies.median_hours,
        coalesce(later.is_kept, false) as is_retained

    from quarters
    inner join {{ ref('int_retention_by_customer_month') }} as paying
        on
            (quarters.ends_date - interval '1 month')::date = paying.month
            and paying.is_kept
    left join {{ ref('int_retention_by_customer_month') }} as later
        on
            paying.customer_id = later.customer_id
            and (quarters.judged_date - interval '1 month')::date = later.month
    left join replies
        on
            quarters.quarter = replies.quarter
            and paying.customer_id = replies.customer_id

),

banded as (

    select
        *,
        case
            when median_hours is null then 0
            else
                ntile(4) over (
                    partition by median_hours is null
                    order by median_hours, quarter, customer_id
                )
        end as latency_band,
        corr(median_hours, is_retained::int) over () as correlation,
        count(median_hours) over () as pair_count

    from followed

),

-- A customer seen in four quarters is one customer: intervals go by heads, so they are
-- rather too wide than too narrow.
counted as (

    select
        latency_band,
        count(*) as customer_quarters,
        count(distinct customer_id) as customers,
        count(*) filter (where is_retained) as retained_customer_quarters,
        min(median_hours)::numeric(12, 2) as shortest_hours,
        max(median_hours)::numeric(12, 2) as longest_hours,
        avg(is_retained::int) as retained_share,
        max(correlation)::numeric(9, 6) as correlation,
        max(pair_count) as pair_count

    from banded

    group by latency_band

),

bounded as (

    select
        *,
        {{ wilson('(retained_share * customers)', 'customers', '-') }}
            as retention_rate_low,
        {{ wilson('(retained_share * customers)', 'customers', '+') }}
            as retention_rate_high

    from counted

)

select
    bounded.latency_band,
    case bounded.latency_band when 0 then 'no tickets' else 'quarter of replies' end
        as band_kind,
    bounded.shortest_hours,
    bounded.longest_hours,
    bounded.customer_quarters,
    bounded.customers,
    bounded.retained_customer_quarters,
    bounded.retained_share::numeric(9, 6) as retention_rate,
    bounded.retention_rate_low,
    bounded.retention_rate_high,
    bounded.correlation,
    bounded.pair_count,
    case
        when
            least(bounded.customers, fastest.customers)
            < {{ policy('latency_min_customers', 'int') }}
            then 'too few to say'
        when bounded.latency_band in (0, 1) then 'compared with'
        when bounded.retention_rate_high < fastest.retention_rate_low then 'lower'
        when bounded.retention_rate_low > fastest.retention_rate_high then 'higher'
        else 'no difference shown'
    end as compared_with_fastest,
    {{ as_of() }} as as_of_date

from bounded
left join bounded as fastest on fastest.latency_band = 1
