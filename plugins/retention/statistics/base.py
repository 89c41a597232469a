"""Define a statistic: a table computed in Python from the marts of one build."""

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
    """Read-only access to the build so far: its staging and marts.

    Tables are named without schemas; the connection selects the build.
    """

    conn: psycopg.Connection
    as_of: date
    known_at: datetime

    def rows(self, statement: str, parameters: Mapping[str, object] | None = None) -> list[Any]:
        """Return rows as dicts; values are bound as parameters, never formatted into the SQL."""
        cursor = self.conn.cursor(row_factory=dict_row)
        return cursor.execute(statement.encode(), parameters or {}).fetchall()


@dataclass(frozen=True)
class Statistic:
    """A table of schema ``statistics``: its columns and the function that computes its rows.

    Raise the version with every change of the method; it is stored on each row. The function is
    deterministic: it seeds random draws and passes floating-point results through ``exact``.
    """

    name: str
    version: str
    columns: Mapping[str, str]
    compute: Callable[[Inputs], Iterable[Row]]

    @property
    def path(self) -> str:
        return f"plugins/{self.compute.__module__.replace('.', '/')}.py"


def exact(value: float | None, scale: int) -> Decimal | None:
    """Round to a decimal of that scale; None for NaN."""
    if value is None or value != value or value in (float("inf"), float("-inf")):
        return None
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_EVEN)
