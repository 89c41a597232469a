{#- Return NPS with its 95 % interval. Promoters and detractors are paired shares of
    the same responses, so the interval is that of a difference of paired shares: z
    squared over eight is added to each of the four cells. Source: Agresti and Min,
    "Simple improved confidence intervals for comparing matched proportions",
    Statistics in Medicine 24 (2005). -#}
{% macro nps_interval(promoters, detractors, respondents) -%}
    {%- set z = policy('interval_z') -%}
    {%- set n = "(" ~ respondents ~ " + " ~ z ~ " ^ 2 / 2)" -%}
    {%- set centre = "((" ~ promoters ~ " - " ~ detractors ~ ") / " ~ n ~ ")" -%}
    {%- set spread -%}
        {{ z }} * sqrt(
            (({{ promoters }} + {{ detractors }} + {{ z }} ^ 2 / 4) / {{ n }} - {{ centre }} ^ 2)
            / {{ n }}
        )
    {%- endset %}
    (({{ promoters }} - {{ detractors }}) * 100.0 / {{ respondents }})::numeric(6, 2) as nps,
    greatest(-100, 100 * ({{ centre }} - {{ spread }}))::numeric(6, 2) as nps_low,
    least(100, 100 * ({{ centre }} + {{ spread }}))::numeric(6, 2) as nps_high
{%- endmacro %}
