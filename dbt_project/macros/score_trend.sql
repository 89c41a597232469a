{#-
What the mean score did in the three months before a month: the best mean of them less this
one, and the straight line through all four where there are three points.
-#}
{% macro score_trend(partition) -%}
    {%- set before -%}
        partition by {{ partition }} order by month
        range between interval '3 months' preceding
    {%- endset %}
    (
        max(mean_score) over (
            {{ before }} and interval '1 month' preceding
        ) - mean_score
    )::numeric(6, 2) as mean_score_fall,
    case
        when count(*) over ({{ before }} and current row) >= 3
            then regr_slope(
                mean_score,
                extract(year from month) * 12 + extract(month from month)
            ) over ({{ before }} and current row)
    end::numeric(8, 4) as mean_score_slope
{%- endmacro %}
