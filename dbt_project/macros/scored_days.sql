{#-
The first day that this build has to score.

Days before `as_of` that were scored once stay as they were scored: the score of a day is what
was known then. The day `as_of` itself is scored again by every build of it. The first build,
and a full refresh, look back `health_history_days`.
-#}
{% macro first_day_to_score() -%}
    {%- set scored = adapter.get_relation(
        database=target.database,
        schema="marts",
        identifier="fct_customer_health_daily"
    ) if execute and not should_full_refresh() else none -%}
    {%- set first = as_of() ~ " - " ~ (var("health_history_days") | int - 1) -%}
    {%- if scored -%}
        coalesce(
            (
                select max(scored.as_of_date) + 1 from {{ scored }} as scored
                where scored.as_of_date < {{ as_of() }}
            ),
            {{ first }}
        )
    {%- else -%}
        {{ first }}
    {%- endif -%}
{%- endmacro %}

{#-
Incremental strategy `from_as_of`: what the table holds of `as_of` or of a later day gives way.

Building an earlier day again therefore leaves the table as it was on that day.
-#}
{% macro get_incremental_from_as_of_sql(arg_dict) -%}
    delete from {{ arg_dict["target_relation"] }}
    where as_of_date >= {{ as_of() }};

    {{ get_incremental_append_sql(arg_dict) }}
{%- endmacro %}
