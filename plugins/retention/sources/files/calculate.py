"""Calculate columns of a row by SQL expressions, in a DuckDB connection that can reach nothing.

An expression is one scalar of DuckDB's SQL over the columns of the row, which are text, and the
functions listed in FUNCTIONS. Queries, windows, aggregates and functions that read the clock, a
random number or a file are refused by name before anything runs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from retention.sources.files.problems import nearest
from retention.sources.files.table import Failed

if TYPE_CHECKING:
    import duckdb

_LOCKED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,
    "autoload_known_extensions": False,
    "autoinstall_known_extensions": False,
    "threads": 1,
    "memory_limit": "1GB",
}
# What company data needs and DuckDB has no word for. `number` keeps eight decimals exactly.
MACROS = r"""
create macro number(t) as case
    when t is null then null
    when regexp_full_match(trim(t), '[+-]?(\d+(\.\d{0,8}0*)?|\.\d{1,8}0*)')
        then cast(trim(t) as decimal(28, 8))
    else error('''' || t || ''' is not a plain number of at most 8 decimals')
end;
create macro grouped(t, mark) as not contains(t, mark) or regexp_full_match(
    replace(t, mark, '_'), '[+-]?\d{1,3}((_\d{3})+|(_\d{2})+_\d{3})(\D\d*)?'
);
create macro spaced(t) as translate(trim(t), chr(160) || chr(8239), '  ');
create macro number_in(t, decimal_mark, thousands_mark) as case
    when t is null then null
    when grouped(spaced(t), thousands_mark)
        then number(replace(replace(spaced(t), thousands_mark, ''), decimal_mark, '.'))
    else error(t || ' does not group its digits in thousands')
end;
create macro day(t) as case
    when t is null then null
    else coalesce(
        try_cast(left(trim(cast(t as varchar)), 10) as date),
        error('''' || t || ''' is not a date such as 2024-05-31')
    )
end;
create macro day_in(t, form) as cast(strptime(trim(t), form) as date);
create macro plus_months(d, n) as cast(day(d) + to_months(cast(n as integer)) as date);
create macro plus_days(d, n) as cast(day(d) + to_days(cast(n as integer)) as date);
create macro domain(t) as nullif(lower(trim(split_part(t, '@', 2))), '');
create macro first_word(t) as nullif(split_part(trim(t), ' ', 1), '');
create macro last_word(t) as nullif(split_part(trim(t), ' ', -1), '');
"""
_OWN = "number number_in day day_in plus_months plus_days domain first_word last_word"
FUNCTIONS = frozenset(
    (
        f"{_OWN} + - * / // % || ~~ !~~ ~~* !~~* abs round floor ceil trunc"
        " greatest least if nullif"
        " lower upper trim ltrim rtrim replace translate split_part left right substring length"
        " concat concat_ws contains starts_with ends_with regexp_extract regexp_replace"
        " regexp_matches regexp_full_match strptime try_strptime strftime date_trunc date_part"
        " date_diff last_day make_date to_days to_weeks to_months to_years error"
        " json_extract_string"
    ).split()
)
_CLASSES = frozenset(
    {"FUNCTION", "COLUMN_REF", "CAST", "TYPE", "CONSTANT", "CASE", "COMPARISON"}
    | {"CONJUNCTION", "OPERATOR", "BETWEEN"}
)


class BadExpression(ValueError):
    """An expression that is not allowed or cannot be understood."""


@dataclass(frozen=True)
class Expression:
    """An expression over ``columns``, which ``sql`` calls c0, c1 and so on."""

    sql: str
    columns: tuple[str, ...]


@cache
def parsed(text: str) -> Expression:
    """Return the expression with its columns; raises BadExpression."""
    statement, [root] = _statement(text)
    columns: dict[str, str] = {}
    _walk(root, columns)
    statement["statements"][0]["node"]["select_list"] = [root]
    query = "select json_deserialize_sql(?::json)"
    (sql,) = _session().execute(query, [json.dumps(statement)]).fetchone() or ("",)
    expression = Expression(sql.removeprefix("SELECT "), tuple(columns))
    _bind(expression)
    return expression


def _statement(text: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    query = "select json_serialize_sql(?)"
    (answer,) = _session().execute(query, [f"select {text}"]).fetchone() or ("{}",)
    statement = json.loads(answer)
    if statement["error"]:
        raise BadExpression(f"not an expression: {statement['error_message'].splitlines()[0]}")
    if len(statement["statements"]) != 1:
        raise BadExpression("not one expression but several statements")
    node = statement["statements"][0]["node"]
    plain = node["type"] == "SELECT_NODE" and node["from_table"]["type"] == "EMPTY"
    clauses = ("modifiers", "where_clause", "group_expressions", "having", "sample", "qualify")
    if not plain or any(node[each] for each in clauses) or len(node["select_list"]) != 1:
        raise BadExpression("not one expression over the columns of a row")
    return statement, node["select_list"]


def _walk(part: Any, columns: dict[str, str]) -> None:
    """Refuse what is not allowed and rename the columns, so that their case counts."""
    if isinstance(part, list):
        for each in part:
            _walk(each, columns)
        return
    if not isinstance(part, dict):
        return
    kind = part.get("class")
    if kind is not None and kind not in _CLASSES:
        raise BadExpression(f"{str(kind).lower()} is not allowed in an expression")
    name = part.get("function_name")
    if name is not None and (name not in FUNCTIONS or part.get("filter") or part.get("distinct")):
        raise BadExpression(f"the function {name!r} is not allowed. {nearest(name, FUNCTIONS)}")
    if kind == "COLUMN_REF":
        column = ".".join(part["column_names"])
        part["column_names"] = [columns.setdefault(column, f"c{len(columns)}")]
    for each in part.values():
        _walk(each, columns)


def _bind(expression: Expression) -> None:
    """Raise BadExpression for types that do not fit; a column is text."""
    import duckdb

    given = ", ".join(f"''::varchar as c{n}" for n in range(max(1, len(expression.columns))))
    query = f"select {expression.sql} from (select {given}) limit 0"  # noqa: S608 - checked above
    try:
        _session().execute(query)
    except duckdb.Error as error:
        message = str(error).splitlines()[0].removeprefix("Binder Error: ")
        hint = "" if "number(" in expression.sql else ". A column is text: write number(column)"
        raise BadExpression(f"{message}{hint}") from error


@cache
def _session() -> duckdb.DuckDBPyConnection:
    import duckdb

    db = duckdb.connect(":memory:", config=_LOCKED)
    db.execute(MACROS)
    db.execute("set lock_configuration = true")
    return db


@dataclass
class Calculator:
    """Evaluate expressions for many rows at a time; ``expressions`` maps names to their text."""

    expressions: dict[str, str]
    _parsed: dict[str, Expression] = field(init=False)
    _columns: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._parsed = {name: parsed(text) for name, text in self.expressions.items()}
        named = (column for each in self._parsed.values() for column in each.columns)
        self._columns = {column: f"a{n}" for n, column in enumerate(dict.fromkeys(named))}

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns whose texts ``values`` needs, in order."""
        return tuple(self._columns)

    def values(self, texts: list[list[str | None]]) -> list[dict[str, Any]]:
        """Return the calculated columns of each row; ``Failed`` where an expression failed."""
        found = {name: self._values(each, texts) for name, each in self._parsed.items()}
        return [
            {name: column[place] for name, column in found.items()} for place in range(len(texts))
        ]

    def _values(self, expression: Expression, given: list[list[str | None]]) -> list[Any]:
        """Return the value of every row; a batch that fails is halved until the row is found."""
        import duckdb

        try:
            return self._ask(expression, given)
        except duckdb.Error as error:
            if len(given) == 1:
                return [Failed("calculation_failed", _reason(error))]
        half = len(given) // 2
        return self._values(expression, given[:half]) + self._values(expression, given[half:])

    def _ask(self, expression: Expression, given: list[list[str | None]]) -> list[Any]:
        if not given:
            return []
        import pyarrow as pa

        names = {"n": pa.array(range(len(given)), pa.int64())}
        for n, column in enumerate(self._columns):
            names[self._columns[column]] = pa.array([texts[n] for texts in given], pa.string())
        renamed = ", ".join(
            f"{self._columns[column]} as c{n}" for n, column in enumerate(expression.columns)
        )
        db = _session().cursor()
        db.register("given", pa.table(names))
        inner = f"select n{', ' if renamed else ''}{renamed} from given"  # noqa: S608
        query = f"select {expression.sql} from ({inner}) order by n"  # noqa: S608 - checked above
        return [_rounded(value) for (value,) in db.execute(query).fetchall()]


def _rounded(value: Any) -> Any:
    # A quotient is a float in DuckDB; amounts that are divided have six decimals everywhere.
    return round(Decimal(repr(value)), 6) if isinstance(value, float) else value


def _reason(error: Exception) -> str:
    message = str(error).splitlines()[0]
    return message.split(" Error: ", 1)[-1]
