{% set months = "make_interval(months => " ~ policy('paradox_months', 'int') ~ ")" %}
{% set z = policy('interval_z') %}

with

answers as (

    select * from {{ ref('int_survey_responses') }}

    where {{ is_nps_answer() }}

),

spans as (

    select * from {{ ref('int_mrr_spans') }}

),

first_answers as (

    select
        customer_id,
        min(answered_date) as first_date

    from answers

    group by customer_id

),

first_detractors as (

    select distinct on (customer_id)
        customer_id,
        answered_date,
        is_sla_met

    from {{ ref('int_detractor_recoveries') }}

    order by customer_id asc, answered_at asc

),

-- Twelve months begin when the two days for a first response are over, in every group.
grouped as (

    select
        first_answers.customer_id,
        case
            when first_detractors.customer_id is null then 'never_detractor'
            when first_detractors.is_sla_met then 'answered_in_time'
            else 'not_answered_in_time'
        end as recovery_group,
        2 + coalesce(first_detractors.answered_date, first_answers.first_date)
            as start_date

    from first_answers
    left join first_detractors
        on
            first_answers.customer_id = first_detractors.customer_id
            and first_detractors.answered_date
            < first_answers.first_date + {{ months }}

),

retained as (

    select distinct grouped.customer_id

    from grouped
    inner join spans
        on
            grouped.customer_id = spans.customer_id
            and daterange(spans.valid_from, spans.valid_to)
            @> (grouped.start_date + {{ months }})::date

),

paying as (

    select
        grouped.customer_id,
        grouped.recovery_group,
        sum(spans.mrr_reporting_amount) as mrr_amount,
        retained.customer_id is not null as is_retained

    from grouped
    inner join spans
        on
            grouped.customer_id = spans.customer_id
            and daterange(spans.valid_from, spans.valid_to) @> grouped.start_date
    left join retained on grouped.customer_id = retained.customer_id

    where grouped.start_date + {{ months }} <= {{ as_of() }}

    group by grouped.customer_id, grouped.recovery_group, retained.customer_id

),

followed as (

    select
        paying.recovery_group,
        bands.arr_band,
        count(*) as customers,
        count(*) filter (where paying.is_retained) as retained

    from paying
    inner join {{ ref('arr_bands') }} as bands
        on
            paying.mrr_amount * 12 >= bands.from_amount
            and paying.mrr_amount * 12 < coalesce(bands.below_amount, 'infinity')

    group by paying.recovery_group, bands.arr_band

),

-- Only bands with customers in both groups are compared, with Mantel-Haenszel weights,
-- n1 x n2 / (n1 + n2). The variance adds one success and one failure to each group,
-- after Agresti and Caffo (2000).
matched as (

    select
        ones.recovery_group,
        others.recovery_group as compared_group,
        ones.customers,
        others.customers as compared_customers,
        ones.retained::numeric / ones.customers as rate,
        others.retained::numeric / others.customers as compared_rate,
        ones.customers::numeric * others.customers / (ones.customers + others.customers)
            as weight,
        (ones.retained + 1.0) * (ones.customers - ones.retained + 1)
        / (ones.customers + 2) ^ 3
        + (others.retained + 1.0) * (others.customers - others.retained + 1)
        / (others.customers + 2) ^ 3 as variance

    from followed as ones
    inner join followed as others on ones.arr_band = others.arr_band

    where
        (ones.recovery_group, others.recovery_group) in (
            ('answered_in_time', 'never_detractor'),
            ('answered_in_time', 'not_answered_in_time'),
            ('not_answered_in_time', 'never_detractor')
        )

),

compared as (

    select
        recovery_group,
        compared_group,
        sum(customers)::bigint as customers,
        sum(compared_customers)::bigint as compared_customers,
        (sum(weight * rate) / sum(weight))::numeric(9, 6) as retention_rate,
        (sum(weight * compared_rate) / sum(weight))::numeric(9, 6)
            as compared_retention_rate,
        sum(weight * (rate - compared_rate)) / sum(weight) as difference,
        {{ z }} * sqrt(sum(weight ^ 2 * variance)) / sum(weight) as half_width

    from matched

    group by recovery_group, compared_group

)

select
    'recovery_paradox' as hypothesis,
    'retention_rate' as measure,
    recovery_group as group_name,
    compared_group,
    'rate' as unit,
    customers,
    customers as observations,
    retention_rate::numeric(18, 6) as value,
    null::numeric(18, 6) as value_low,
    null::numeric(18, 6) as value_high,
    compared_customers,
    compared_retention_rate::numeric(18, 6) as compared_value,
    difference::numeric(18, 6) as difference,
    greatest(-1, difference - half_width)::numeric(18, 6) as difference_low,
    least(1, difference + half_width)::numeric(18, 6) as difference_high,
    case
        when
            least(customers, compared_customers)
            < {{ policy('paradox_min_customers', 'int') }}
            then 'insufficient data'
        when difference - half_width > 0 then 'higher'
        when difference + half_width < 0 then 'lower'
        else 'no difference shown'
    end as verdict

from compared
