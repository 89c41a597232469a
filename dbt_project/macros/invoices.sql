{#- Condition on `int_invoices`: the customer owes or owed it. A draft is not due yet, and
    a void invoice was never owed. -#}
{% macro is_due_invoice() -%}
    (
        customer_id is not null
        and status in ('open', 'paid', 'uncollectible')
        and total_amount > 0
    )
{%- endmacro %}
