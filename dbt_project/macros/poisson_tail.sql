{#- Return the exact probability of at least `count` events at a Poisson mean of
    `mean`, as a decimal. -#}
{% macro poisson_tail(count, mean) -%}
    (
        select
            greatest(
                1 - exp(-({{ mean }})::numeric) * coalesce(
                    sum(power(({{ mean }})::numeric, k) / factorial(k)), 0
                ),
                0
            )::numeric(9, 6)
        from generate_series(0, ({{ count }})::int - 1) as terms (k)
    )
{%- endmacro %}
