with

customers as (

    select * from {{ ref('int_customers') }}

),

owners as (

    select * from {{ ref('int_owners') }}

),

revenue as (

    select * from {{ ref('int_customer_revenue') }}

),

groups as (

    select * from {{ ref('int_customer_groups') }}

),

renewals as (

    select * from {{ ref('int_renewals') }}

),

identities as (

    select
        customer_id,
        min(confidence) as match_confidence,
        string_agg(distinct source, ', ') as known_to

    from {{ ref('int_customer_identities') }}

    group by customer_id

),

health as (

    select * from {{ ref('fct_customer_health_daily') }}

    where as_of_date = {{ as_of() }}

),

metrics as (

    select
        customer_id,
        {%- for metric in [
            'licensed_seats', 'active_users', 'active_seat_ratio',
            'days_since_last_use', 'mean_nps_score', 'open_tickets', 'days_overdue',
            'cancelling_subscriptions'
        ] %}
        max(value) filter (where metric = '{{ metric }}') as {{ metric }}
        {%- if not loop.last %},{% endif %}
        {%- endfor %}

    from {{ ref('int_customer_metrics') }}

    where as_of_date = {{ as_of() }}

    group by customer_id

),

meetings as (

    select * from {{ ref('int_meeting_metrics_daily') }}

    where as_of_date = {{ as_of() }}

),

group_health as (

    select * from {{ ref('fct_group_health_daily') }}

    where as_of_date = {{ as_of() }}

)

select
    customers.customer_id,
    -- Fall back to the id, so that worklists never show a blank name.
    coalesce(customers.customer_name, customers.customer_id) as customer_name,
    groups.group_id,
    customers.csm_id,
    owners.csm_name,
    customers.segment,
    customers.industry,
    customers.country,
    case
        when revenue.is_active then 'active'
        when revenue.churned_date is not null then 'churned'
        else 'prospect'
    end as status,
    revenue.currencies,
    {{ policy('reporting_currency', 'text') }} as reporting_currency,
    revenue.mrr_amount,
    (revenue.mrr_amount * 12)::numeric(18, 4) as arr_amount,
    (
        (revenue.mrr_amount - revenue.mrr_a_year_ago_amount)
        / nullif(revenue.mrr_a_year_ago_amount, 0)
    )::numeric(12, 6) as mrr_growth_rate,
    health.score as health_score,
    health.band as health_band,
    health.coverage as health_coverage,
    (group_health.arr_amount / 12)::numeric(18, 4) as group_mrr_amount,
    group_health.score as group_health_score,
    group_health.measured_share::numeric(4, 3) as group_measured_share,
    metrics.licensed_seats::numeric(18, 4) as licensed_seats,
    metrics.active_users::bigint as active_users,
    metrics.active_seat_ratio::numeric(9, 4) as active_seat_ratio,
    metrics.days_since_last_use::int as days_since_last_use,
    metrics.mean_nps_score::numeric(6, 2) as mean_nps_score,
    metrics.open_tickets::bigint as open_tickets,
    metrics.days_overdue::int as days_overdue,
    coalesce(revenue.reactivation_count, 0) as reactivation_count,
    identities.known_to,
    identities.match_confidence::numeric(3, 2) as match_confidence,
    customers.claimed_churned,
    coalesce(metrics.cancelling_subscriptions > 0, false) as is_cancelling,
    customers.signed_up_date,
    revenue.first_paid_date,
    revenue.churned_date,
    meetings.last_review_date,
    renewals.renewal_date,
    renewals.notice_date,
    {{ as_of() }} as as_of_date

from customers
inner join groups on customers.customer_id = groups.customer_id
left join owners on customers.csm_id = owners.csm_id
left join revenue on customers.customer_id = revenue.customer_id
left join renewals on customers.customer_id = renewals.customer_id
left join identities on customers.customer_id = identities.customer_id
left join health on customers.customer_id = health.customer_id
left join metrics on customers.customer_id = metrics.customer_id
left join meetings on customers.customer_id = meetings.customer_id
left join group_health on groups.group_id = group_health.group_id
