{#- Compare the mean score with the three months before: the drop from their best mean,
    and the slope of a linear regression over all four months if three of them have a
    value. -#}
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
