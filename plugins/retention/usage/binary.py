"""Encode Arrow batches as Postgres binary COPY, column by column instead of value by value.

Rows whose strings have the same lengths share a memory layout. Rows are grouped by layout,
and each group is one numpy record array, filled column by column.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from psycopg.types.numeric import DecimalBinaryDumper

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
# Postgres counts days and microseconds from 2000-01-01.
EPOCH_DAYS = 10_957
EPOCH_MICROSECONDS = 946_684_800_000_000


@dataclass(frozen=True)
class _Fixed:
    """A fixed-width column without nulls."""

    values: np.ndarray[Any, Any]


@dataclass(frozen=True)
class _Varying:
    """A column of few distinct byte strings, sorted by length; ``lengths[code]`` -1 is null.

    The string of a code is ``values[length][places[code]]``.
    """

    codes: np.ndarray[Any, Any]
    lengths: np.ndarray[Any, Any]
    places: np.ndarray[Any, Any]
    values: dict[int, np.ndarray[Any, Any]]


def binary_copy(batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """Yield the bytes for ``copy ... from stdin (format binary)``, columns in batch order.

    Accepts date32, int64, timestamp('us', tz) and string columns without nulls, and decimals.
    The order of rows within a batch may change. Raises TypeError for any other type.
    """
    yield HEADER
    for batch in batches:
        yield from _encode(batch)
    yield TRAILER


def _encode(batch: pa.RecordBatch) -> Iterator[bytes]:
    import numpy as np

    columns = [_column(batch.column(place)) for place in range(batch.num_columns)]
    layout = _layouts(columns, batch.num_rows)
    order = np.argsort(layout, kind="stable")
    ends = np.flatnonzero(np.diff(layout[order], append=-1)) + 1
    begin = 0
    for end in ends:
        yield _records(columns, order[begin:end])
        begin = int(end)


def _layouts(columns: list[_Fixed | _Varying], rows: int) -> np.ndarray[Any, Any]:
    """Return one number per row, equal for rows whose varying columns have equal lengths."""
    import numpy as np

    layout = np.zeros(rows, np.int64)
    most = 1
    for column in columns:
        if isinstance(column, _Varying):
            width = int(column.lengths.max()) + 2
            if most * width > 2**62:
                layout = np.unique(layout, return_inverse=True)[1]
                most = rows + 1
            layout = layout * width + column.lengths[column.codes] + 1
            most *= width
    return layout


def _records(columns: list[_Fixed | _Varying], rows: np.ndarray[Any, Any]) -> bytes:
    """Encode rows of one layout as records: length and bytes of each column."""
    import numpy as np

    fields: list[tuple[str, str]] = [("columns", ">i2")]
    filled: dict[str, Any] = {"columns": len(columns)}
    for place, column in enumerate(columns):
        value = _cells(column, rows)
        length = -1 if value is None else value.dtype.itemsize
        fields.append((f"length{place}", ">i4"))
        filled[f"length{place}"] = length
        if value is not None and length > 0:
            fields.append((f"value{place}", value.dtype.str))
            filled[f"value{place}"] = value
    records = np.empty(len(rows), fields)
    for name, value in filled.items():
        records[name] = value
    return records.tobytes()


def _cells(column: _Fixed | _Varying, rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    """Return the column's values in these rows, or None when they are null."""
    if isinstance(column, _Fixed):
        return _at(column.values, rows)
    codes = column.codes[rows]
    length = int(column.lengths[codes[0]])
    return None if length < 0 else _at(column.values[length], column.places[codes])


def _at(values: np.ndarray[Any, Any], places: Any) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.asarray(values[places])


def _column(values: Any) -> _Fixed | _Varying:
    import pyarrow as pa

    kind = values.type
    if pa.types.is_date32(kind):
        return _Fixed((_plain(values, pa.int32()) - EPOCH_DAYS).astype(">i4"))
    if pa.types.is_timestamp(kind) and kind.unit == "us":
        return _Fixed((_plain(values, pa.int64()) - EPOCH_MICROSECONDS).astype(">i8"))
    if pa.types.is_int64(kind):
        return _Fixed(_plain(values, pa.int64()).astype(">i8"))
    if pa.types.is_string(kind) or pa.types.is_decimal(kind):
        return _varying(values, numeric=pa.types.is_decimal(kind))
    raise TypeError(f"no binary COPY encoding for {kind}")


def _plain(values: Any, kind: Any) -> Any:
    if values.null_count:
        raise ValueError("a fixed-width column has nulls")
    return values.view(kind).to_numpy(zero_copy_only=False)


def _varying(values: Any, *, numeric: bool) -> _Varying:
    import numpy as np

    encoded = values.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    dumper = DecimalBinaryDumper(Decimal)
    texts = [_number(dumper, each) if numeric else each.encode() for each in distinct]
    # The code after the last value stands for null.
    codes = encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    lengths = np.array([*map(len, texts), -1], np.int64)
    places = np.zeros(len(lengths), np.int64)
    by_length: dict[int, list[bytes]] = {}
    for code, text in enumerate(texts):
        alike = by_length.setdefault(len(text), [])
        places[code] = len(alike)
        alike.append(text)
    arrays = {length: _bytes(alike, length) for length, alike in by_length.items()}
    return _Varying(codes, lengths, places, arrays)


def _bytes(texts: list[bytes], length: int) -> np.ndarray[Any, Any]:
    import numpy as np

    return np.frombuffer(b"".join(texts), f"V{length}") if length else np.zeros(len(texts), "V0")


def _number(dumper: DecimalBinaryDumper, value: Decimal) -> bytes:
    """Encode without the trailing zeros that a column of fixed scale adds."""
    # Strip them as text: Decimal arithmetic rounds to 28 digits.
    text = format(value, "f")
    plain = Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
    return bytes(dumper.dump(plain) or b"")
