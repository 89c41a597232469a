{#-
What a line of a subscription is worth a month under a row of switches.

The one place where an amount becomes MRR: the MRR history reads it under every policy.
-#}
{% macro monthly_amount(line, switches) -%}
    (
        (
            case
                when {{ line }}.is_metered then {{ line }}.billed_amount
                when {{ line }}.is_proration and {{ switches }}.proration = 'billed'
                    then {{ line }}.billed_amount
                else
                    {{ line }}.full_amount
                    - case
                        when
                            {{ switches }}.discount_scope = 'line'
                            and not {{ line }}.is_line_discount
                            then 0
                        when
                            case {{ line }}.discount_kind
                                when 'once' then {{ switches }}.discount_once
                                when 'repeating' then {{ switches }}.discount_repeating
                                else {{ switches }}.discount_forever
                            end = 'counted'
                            then {{ line }}.discount_amount
                        else 0
                    end
            end
            + case
                when {{ switches }}.tax = 'included' then {{ line }}.added_tax_amount
                else -{{ line }}.included_tax_amount
            end
        )
        / {{ months_of(line, switches) }}
    )::numeric(18, 4)
{%- endmacro %}

{#- The length of a line's billing period in months. -#}
{% macro months_of(line, switches) -%}
    (
        {{ line }}.interval_count
        * case {{ line }}.billing_interval
            when 'week' then {{ switches }}.months_per_week
            when 'day' then {{ switches }}.months_per_day
            else {{ line }}.interval_months
        end
    )
{%- endmacro %}

{#- The first day of the month after the last day in force. -#}
{% macro month_after(ended) -%}
    (date_trunc('month', {{ ended }} - 1) + interval '1 month')::date
{%- endmacro %}

{#- Select ranges of MRR; changes agreed for later days are not in force at the end of `as_of`. -#}
{% macro mrr_ranges(balances) -%}
    select
        customer_id,
        currency,
        mrr_amount,
        step_amount,
        starts_date,
        least(ends_date, {{ as_of() }} + 1) as ends_date

    from {{ balances }}

    where starts_date <= {{ as_of() }}
{%- endmacro %}

{#- Select the net change of quantity and MRR per customer, currency, sold unit and day: a term
    adds both on its first day and takes both away on the day after its last. -#}
{% macro mrr_steps() -%}
    select
        terms.customer_id,
        terms.currency,
        terms.sold_unit,
        edges.step_date,
        sum(edges.sign * coalesce(terms.quantity, 1)) as quantity_step,
        sum(edges.sign * terms.mrr_amount) as amount_step

    from {{ ref('int_mrr_terms') }} as terms
    cross join
        lateral (
            values (terms.starts_date, 1), (terms.ends_date, -1)
        ) as edges (step_date, sign)

    where
        terms.policy = 'default'
        and edges.step_date is not null
        and {{ is_to_rebuild('terms.customer_id') }}

    group by terms.customer_id, terms.currency, terms.sold_unit, edges.step_date
{%- endmacro %}
