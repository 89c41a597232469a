with

care as (

    select * from {{ ref('int_customer_care_by_quarter') }}

),

-- Customers handed over within the quarter, from or to the manager.
changes as (

    select
        quarters.quarter,
        managers.csm_owner_id as csm_id,
        count(*) as customers_taken_over

    from {{ ref('int_fiscal_quarters') }} as quarters
    inner join {{ ref('int_customer_attribute_ranges') }} as managers
        on
            quarters.quarter <= managers.starts_date
            and quarters.ends_date > managers.starts_date
    inner join {{ ref('int_customer_attribute_ranges') }} as earlier
        on
            managers.customer_id = earlier.customer_id
            and managers.starts_date = earlier.ends_date
            and managers.csm_owner_id != earlier.csm_owner_id

    group by quarters.quarter, managers.csm_owner_id

),

counted as (

    select
        quarter,
        csm_id,
        count(*) as customers,
        count(*) filter (where is_kept) as kept_customers,
        count(*) filter (where is_deliberate_exit) as deliberate_exits,
        sum(opening_mrr_amount) as opening_mrr_amount,
        sum(least(kept_mrr_amount, opening_mrr_amount)) as kept_mrr_amount,
        coalesce(sum(opening_mrr_amount) filter (where not is_deliberate_exit), 0)
            as wanted_mrr_amount,
        sum(expansion_mrr_amount) as expansion_mrr_amount,
        count(*) filter (where is_review_due) as reviews_due,
        count(*) filter (where is_reviewed) as reviews_documented,
        count(*) filter (where months_met >= 3) as customers_met_monthly,
        sum(feedback_due)::bigint as feedback_due,
        sum(feedback_in_time)::bigint as feedback_in_time,
        sum(tasks_due)::bigint as tasks_due,
        sum(tasks_in_time)::bigint as tasks_in_time,
        sum(detractors_due)::bigint as detractors_due,
        sum(detractors_in_time)::bigint as detractors_in_time

    from care

    group by quarter, csm_id

)

select
    counted.quarter,
    counted.csm_id,
    counted.customers,
    (12 * counted.opening_mrr_amount)::numeric(18, 4) as opening_arr_amount,
    coalesce(changes.customers_taken_over, 0) as customers_taken_over,
    counted.kept_customers,
    counted.deliberate_exits,
    (counted.kept_customers::numeric / counted.customers)::numeric(9, 6)
        as retention_rate,
    {{ wilson('counted.kept_customers', 'counted.customers', '-') }}
        as retention_rate_low,
    {{ wilson('counted.kept_customers', 'counted.customers', '+') }}
        as retention_rate_high,
    (
        counted.kept_customers::numeric
        / nullif(counted.customers - counted.deliberate_exits, 0)
    )::numeric(9, 6) as wanted_retention_rate,
    (counted.kept_mrr_amount / nullif(counted.opening_mrr_amount, 0))::numeric(9, 6)
        as grr,
    (counted.kept_mrr_amount / nullif(counted.wanted_mrr_amount, 0))::numeric(9, 6)
        as wanted_grr,
    {% for rate, part, whole in [
        ('review_coverage', 'reviews_documented', 'reviews_due'),
        ('monthly_contact', 'customers_met_monthly', 'customers'),
        ('detractor_sla', 'detractors_in_time', 'detractors_due'),
        ('feedback', 'feedback_in_time', 'feedback_due'),
        ('task', 'tasks_in_time', 'tasks_due')
    ] -%}
    counted.{{ part }},
    {% if whole != 'customers' -%}
    counted.{{ whole }},
    {% endif -%}
    (counted.{{ part }}::numeric / nullif(counted.{{ whole }}, 0))::numeric(9, 6)
        as {{ rate }}_rate,
    case
        when counted.{{ whole }} > 0
            then {{ wilson('counted.' ~ part, 'counted.' ~ whole, '-') }}
    end as {{ rate }}_rate_low,
    case
        when counted.{{ whole }} > 0
            then {{ wilson('counted.' ~ part, 'counted.' ~ whole, '+') }}
    end as {{ rate }}_rate_high,
    {% endfor -%}
    counted.expansion_mrr_amount::numeric(18, 4) as expansion_mrr_amount,
    (counted.expansion_mrr_amount / nullif(counted.opening_mrr_amount, 0))::numeric(
        9, 6
    ) as expansion_rate

from counted
left join changes
    on counted.quarter = changes.quarter and counted.csm_id = changes.csm_id
