{#-
A component's points, 0 to 100: a linear ramp from worst to best, whichever of them is the larger. A
null value falls through to null: greatest and least would have made it a zero.
-#}
{% macro component_points(value) -%}
    case
        when {{ value }} is not null
            then least(greatest(({{ value }} - worst) * 100 / (best - worst), 0), 100)
    end::numeric(7, 4)
{%- endmacro %}
