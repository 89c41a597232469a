{#-
The first day that this build has to score: the one after the newest day that readers were shown
before `as_of`.

A day that was published stays as it was published: its score is what was known then. A day that
was built and stopped by a gate, or rolled back, is scored again. The first build, and a full
refresh, look back over all of the company's history.
-#}
{% macro first_day_to_score() -%}
    {%- if execute and not should_full_refresh() and health_was_built() -%}
        coalesce(
            (
                select max(publishes.as_of) + 1 from {{ source("ops", "publishes") }} as publishes
                where publishes.as_of < {{ as_of() }} and publishes.status != 'rolled_back'
            ),
            date '-infinity'
        )
    {%- else -%}
        date '-infinity'
    {%- endif -%}
{%- endmacro %}

{#-
Whether a day is scored when its turn has come: the newest `health_history_days` each, and before
them the Sundays and the ends of months, from which a past can be judged at a fifth of the cost.
-#}
{% macro is_day_to_score(day) -%}
    (
        {{ day }} > {{ as_of() }} - {{ var("health_history_days") | int }}
        or extract(isodow from {{ day }}) = 7
        or extract(day from {{ day }} + 1) = 1
    )
{%- endmacro %}

{% macro health_was_built() -%}
    {{ return(adapter.get_relation(
        database=target.database,
        schema=schema_named("marts"),
        identifier="fct_customer_health_daily"
    ) is not none) }}
{%- endmacro %}

{#-
Incremental strategy `from_first_day`: what the table holds of the days to score, or of later
ones, gives way.

Building an earlier day again therefore leaves the table as it was on that day.
-#}
{% macro get_incremental_from_first_day_sql(arg_dict) -%}
    delete from {{ arg_dict["target_relation"] }}
    where as_of_date >= {{ first_day_to_score() }};

    {{ get_incremental_append_sql(arg_dict) }}
{%- endmacro %}
