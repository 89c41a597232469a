"""SQL that converts rows of an event file to canonical events, or to a rejection code."""

# ruff: noqa: S608 - every part is a declaration of ours or a quoted literal

from __future__ import annotations

from retention.usage.formats import EventFormat

# The reason of each quarantine code.
REASONS = {
    "malformed": "the row is not one complete record",
    "bad_encoding": "the row is not UTF-8",
    "duplicate_key": "the row repeats a key",
    "missing_event_id": "the event has no id",
    "missing_account": "the event has no account, or one missing from the lookup",
    "missing_feature": "the event has no name",
    "bad_timestamp": "a time is missing, invalid or outside 1970 to 2100",
    "bad_number": "the units are not a number, or exceed 18 digits before or after the point",
    "duplicate_id": "another row has the same event id and different content",
}

EARLIEST, LATEST = "timestamptz '1970-01-01 00:00:00Z'", "timestamptz '2100-01-01 00:00:00Z'"
UNITS = "decimal(38, 18)"
# A sum of a hundred million such units fits into 38 digits.
MOST_UNITS = "1000000000000"


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def events_query(form: EventFormat, *, careful: bool) -> str:
    """Return the query of canonical events; grain: one row per row of ``rows_in``.

    ``problem`` is null for a valid event. ``careful`` looks for repeated keys in every row,
    which doubles the run time; otherwise ``shape`` is a hash of the row's keys, so that one
    row per shape can be checked.
    """
    joins = "".join(
        f" left join lookup_{each.name} on lookup_{each.name}.key = ({each.on})"
        for each in form.lookups
    )
    found = "".join(f", lookup_{each.name}.value as {each.name}" for each in form.lookups)
    return f"""
with named as ({_named(form, careful=careful)}),
looked_up as (select named.*{found} from named{joins}),
fields as (
    select
        file, line, raw, flaw, shape,
        {_text(form.event_id)} as event_id,
        {_text(form.account)} as account_key,
        coalesce({_text(form.user)}, '') as user_key,
        coalesce({_text(form.subscription)}, '') as subscription_key,
        {_text(form.feature)} as feature,
        {form.occurred_at} as occurred_at,
        {form.received_at or "null::timestamptz"} as arrived_at,
        {f"nullif(trim(cast({form.units} as varchar)), '')" if form.units else "null::varchar"}
            as units_text,
        {_holds_nul(form)} as sanitised
    from looked_up
),
timed as (
    select *, coalesce(arrived_at, occurred_at) as received_at from fields
),
checked as (
    select *, {_problem(form)} as problem from timed
)
select
    {_clean("event_id")} as event_id,
    {_clean("account_key")} as account_key,
    {_clean("user_key")} as user_key,
    {_clean("subscription_key")} as subscription_key,
    {_clean("feature")} as feature,
    occurred_at,
    received_at,
    case when problem is null then cast(units_text as {UNITS}) end as units,
    case
        when problem is null
            then date '1970-01-01' + cast(epoch_us(occurred_at) // 86400000000 as integer)
    end as event_date,
    file,
    line,
    shape,
    problem,
    case when problem is not null then rtrim(raw, chr(13) || chr(10)) end as raw,
    sanitised and problem is null as sanitised
from checked"""


def _named(form: EventFormat, *, careful: bool) -> str:
    """Return the query of the rows with one text column per name of the format."""
    if form.kind == "csv":
        return "select *, 0::ubigint as shape from rows_in"
    if form.kind == "parquet":
        taken = ", ".join(
            f'cast("{path}" as varchar) as {name}' for name, path in form.columns.items()
        )
        return (
            "select file, line, raw, null::varchar as flaw, 0::ubigint as shape,"
            f" {taken} from rows_in"
        )
    paths = ", ".join(literal(path) for path in form.columns.values())
    taken = ", ".join(f"found[{place}] as {name}" for place, name in enumerate(form.columns, 1))
    flaw = f"case when {_repeats(form)} then 'duplicate_key' end" if careful else "null"
    # A filter on `found` would make DuckDB parse every row twice.
    return f"""
    select
        file, line, raw, shape, {taken},
        coalesce(
            flaw,
            case when found is not null then {flaw} else 'malformed' end
        ) as flaw
    from (
        select
            file, line, raw, flaw,
            try(json_extract_string(raw, [{paths}])) as found,
            hash(try(json_keys(raw, [{_parents(form)}]))) as shape
        from rows_in
    )"""


def _parents(form: EventFormat) -> str:
    """Return the paths of the objects that contain the values, outermost first."""
    return ", ".join(literal(path) for path in parent_paths(form))


def parent_paths(form: EventFormat) -> list[str]:
    """Return the parents of all paths; ``$.a."$b".c`` has ``$``, ``$.a`` and ``$.a."$b"``."""
    found = {"$"}
    for path in form.columns.values():
        depth = 0
        for place, letter in enumerate(path):
            depth ^= letter == '"'
            if letter == "." and not depth and place:
                found.add(path[:place])
    return sorted(found)


def _repeats(form: EventFormat) -> str:
    keys = [f"try(json_keys(raw, {literal(path)}))" for path in parent_paths(form)]
    return " or ".join(f"coalesce(len({each}) != list_unique({each}), false)" for each in keys)


def repeats_query(form: EventFormat) -> str:
    """Return the query whether any row of ``rows_in`` repeats a key."""
    return f"select coalesce(bool_or({_repeats(form)}), false) from rows_in"


def _text(expression: str) -> str:
    """Return SQL for the trimmed text, null when empty. The test is cheaper than trimming."""
    text = f"cast({expression} as varchar)"
    ragged = f"{text} = '' or starts_with({text}, ' ') or suffix({text}, ' ')"
    return f"case when {ragged} then nullif(trim({text}), '') else {text} end"


def _clean(column: str) -> str:
    """Return SQL that removes NUL, which Postgres cannot store in a text."""
    return f"case when sanitised then replace({column}, chr(0), '') else {column} end"


def _holds_nul(form: EventFormat) -> str:
    # JSON allows a NUL only as an escape.
    return "contains(raw, '\\u0000')" if form.kind == "ndjson" else "contains(raw, chr(0))"


def _problem(form: EventFormat) -> str:
    return f"""case
        when flaw is not null then flaw
        when event_id is null then 'missing_event_id'
        when account_key is null then 'missing_account'
        when feature is null then 'missing_feature'
        when occurred_at is null or occurred_at < {EARLIEST} or occurred_at >= {LATEST}
            or received_at < {EARLIEST} or received_at >= {LATEST} then 'bad_timestamp'
        when units_text is not null and {_bad_units(form)} then 'bad_number'
    end"""


def _bad_units(form: EventFormat) -> str:
    number = f"try_cast(units_text as {UNITS})"
    # DuckDB reads JSON numbers as doubles: one of 16 digits or more is accepted only if the
    # row contains the same digits.
    altered = (
        " or (length(regexp_replace(units_text, '[^0-9]', '', 'g')) >= 16"
        " and not contains(raw, units_text))"
        if form.kind == "ndjson"
        else ""
    )
    rounded = (
        f"(contains(lower(units_text), 'e')"
        f" and cast(cast({number} as varchar) as double) != cast(units_text as double))"
    )
    return (
        f"({number} is null or abs({number}) >= {MOST_UNITS}"
        f" or length(split_part(units_text, '.', 2)) > 18 or {rounded}{altered})"
    )
