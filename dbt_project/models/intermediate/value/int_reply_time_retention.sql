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

-- The customers that paid at the quarter's end, and whether they still pay half a year
-- later. Customers without a ticket have no reply time; they are a group of their own.
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
        end as latency_band

    from followed

),

-- Intervals count customers: the quarters of one customer are not independent. The
-- intervals are therefore too wide, not too narrow.
counted as (

    select
        latency_band,
        case latency_band
            when 0 then 'no_tickets' else 'reply_quartile_' || latency_band
        end as group_name,
        count(*) as customer_quarters,
        count(distinct customer_id) as customers,
        min(median_hours)::numeric(12, 2) as shortest_hours,
        max(median_hours)::numeric(12, 2) as longest_hours,
        avg(is_retained::int) as retained_share

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

),

measures as (

    select
        measures.*,
        bounded.latency_band,
        bounded.group_name,
        bounded.customers,
        bounded.customer_quarters as observations

    from bounded
    cross join
        lateral (
            values
            (
                'retention_rate', 'rate', bounded.retained_share,
                bounded.retention_rate_low, bounded.retention_rate_high
            ),
            ('shortest_hours', 'hours', bounded.shortest_hours, null, null),
            ('longest_hours', 'hours', bounded.longest_hours, null, null)
        ) as measures (measure, unit, value, value_low, value_high)

    where measures.value is not null

    union all

    select
        'correlation' as measure,
        'correlation' as unit,
        corr(median_hours, is_retained::int)::numeric as value,
        null as value_low,
        null as value_high,
        null as latency_band,
        'with_tickets' as group_name,
        count(distinct customer_id) as customers,
        count(*) as observations

    from banded

    where median_hours is not null

    having count(*) > 0

)

select
    'reply_time_and_retention' as hypothesis,
    measures.measure,
    measures.group_name,
    fastest.group_name as compared_group,
    measures.unit,
    measures.customers,
    measures.observations,
    measures.value::numeric(18, 6) as value,
    measures.value_low::numeric(18, 6) as value_low,
    measures.value_high::numeric(18, 6) as value_high,
    fastest.customers as compared_customers,
    fastest.retained_share::numeric(18, 6) as compared_value,
    (measures.value - fastest.retained_share)::numeric(18, 6) as difference,
    null::numeric(18, 6) as difference_low,
    null::numeric(18, 6) as difference_high,
    case
        when
            least(measures.customers, fastest.customers)
            < {{ policy('latency_min_customers', 'int') }}
            then 'insufficient data'
        when measures.value_high < fastest.retention_rate_low then 'lower'
        when measures.value_low > fastest.retention_rate_high then 'higher'
        when fastest.latency_band is not null then 'no difference shown'
    end as verdict

from measures
left join bounded as fastest
    on
        fastest.latency_band = 1
        and measures.latency_band > 1
        and measures.measure = 'retention_rate'
