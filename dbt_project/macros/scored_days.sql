{#- Return the first day to score: the day after the newest published day before
    `as_of`. A published day keeps its score, which is based on the data known then. A
    day stopped by a gate or rolled back is scored again. The first build and a full
    refresh score the whole history. -#}
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

{#- Condition: the day is scored. The newest `health_history_days` are all scored;
    before them only Sundays and month ends, which suffice for backtests at a fifth of
    the cost. -#}
{% macro is_day_to_score(day) -%}
    (
        {{ day }} > {{ as_of() }} - {{ var("health_history_days") | int }}
        or extract(isodow from {{ day }}) = 7
        or extract(day from {{ day }} + 1) = 1
    )
{%- endmacro %}

{% macro health_was_built() -%}
    {{ return(existing_model("int_customer_health_history") is not none) }}
{%- endmacro %}

{#- Incremental strategy `from_first_day`: delete the days to score and all later days,
    then insert. Building an earlier day again leaves the table as it was on that day. -#}
{% macro get_incremental_from_first_day_sql(arg_dict) -%}
    delete from {{ arg_dict["target_relation"] }}
    where as_of_date >= {{ first_day_to_score() }};

    {{ get_incremental_append_sql(arg_dict) }}
{%- endmacro %}
