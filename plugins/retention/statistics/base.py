"""What a statistic is: a table worked out in Python from the marts of one build."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

import psycopg
from psycopg.rows import dict_row

Row = Sequence[Any]


@dataclass(frozen=True)
class Inputs:
    """The build so far, read only: what its staging and marts show, and nothing later.

    Tables are named without their schemas: which build they are of is the connection's.
    """

    conn: psycopg.Connection
    as_of: date
    known_at: datetime

    def rows(self, statement: str, parameters: Mapping[str, object] | None = None) -> list[Any]:
        """Rows as dicts; values reach the statement as parameters and never as text."""
        cursor = self.conn.cursor(row_factory=dict_row)
        return cursor.execute(statement.encode(), parameters or {}).fetchall()


@dataclass(frozen=True)
class Statistic:
    """A table of schema ``statistics``: its columns, and the function that gives its rows.

    The version is raised with every change of the method; it is stamped on each row. The
    function gives the same rows for the same inputs: it seeds what it draws and passes what
    it computed in floating point through ``exact``.
    """

    name: str
    version: str
    columns: Mapping[str, str]
    compute: Callable[[Inputs], Iterable[Row]]

    @property
    def path(self) -> str:
        return f"plugins/{self.compute.__module__.replace('.', '/')}.py"


def exact(value: float | None, scale: int) -> Decimal | None:
    """The number as a decimal of that scale; None for what is not a number."""
    if value is None or value != value or value in (float("inf"), float("-inf")):
        return None
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_EVEN)
