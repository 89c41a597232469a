"""Arrow tables as Postgres' binary COPY, encoded column by column instead of value by value.

Rows whose texts have the same lengths share one memory layout. So the rows are grouped by
layout, and each group is one numpy record array that is filled column by column.
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
    """A column of one width, never null."""

    values: np.ndarray[Any, Any]


@dataclass(frozen=True)
class _Varying:
    """A column of few distinct byte strings: ``values[code]``; length -1 is null."""

    codes: np.ndarray[Any, Any]
    values: list[bytes]
    lengths: np.ndarray[Any, Any]


def binary_copy(batches: Iterable[pa.RecordBatch]) -> Iterator[bytes]:
    """The bytes for ``copy ... from stdin (format binary)``, columns in the batches' order.

    Takes date32, int64 and timestamp('us', tz) columns without nulls, text without nulls and
    decimals. The order of rows within a batch may change.
    """
    yield HEADER
    for batch in batches:
        yield from _encode(batch)
    yield TRAILER


def _encode(batch: pa.RecordBatch) -> Iterator[bytes]:
    import numpy as np

    columns = [_column(batch.column(place)) for place in range(batch.num_columns)]
    layout = np.zeros(batch.num_rows, np.int64)
    for column in columns:
        if isinstance(column, _Varying):
            lengths = column.lengths[column.codes]
            keys = layout * (int(lengths.max(initial=0)) + 2) + lengths + 1
            layout = np.unique(keys, return_inverse=True)[1]
    order = np.argsort(layout, kind="stable")
    ends = np.flatnonzero(np.diff(layout[order], append=-1)) + 1
    begin = 0
    for end in ends:
        yield _records(columns, order[begin:end])
        begin = int(end)


def _records(columns: list[_Fixed | _Varying], rows: np.ndarray[Any, Any]) -> bytes:
    """The rows, which all have one layout, as records: length and bytes of each column."""
    import numpy as np

    fields: list[tuple[str, str]] = [("columns", ">i2")]
    filled: dict[str, Any] = {"columns": len(columns)}
    for place, column in enumerate(columns):
        if isinstance(column, _Fixed):
            length, kind = column.values.dtype.itemsize, column.values.dtype.str
            value: Any = column.values[rows]
        else:
            codes = column.codes[rows]
            length = int(column.lengths[codes[0]])
            kind = f"S{length}"
            value = _gather(column, codes, kind) if length > 0 else None
        fields.append((f"length{place}", ">i4"))
        filled[f"length{place}"] = length
        if length > 0:
            fields.append((f"value{place}", kind))
            filled[f"value{place}"] = value
    records = np.empty(len(rows), fields)
    for name, value in filled.items():
        records[name] = value
    return records.tobytes()


def _gather(column: _Varying, codes: np.ndarray[Any, Any], kind: str) -> np.ndarray[Any, Any]:
    import numpy as np

    used, places = np.unique(codes, return_inverse=True)
    return np.array([column.values[code] for code in used], kind)[places]


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
    raise TypeError(f"no binary form for {kind}")


def _plain(values: Any, kind: Any) -> Any:
    if values.null_count:
        raise ValueError("a column of fixed width has nulls")
    return values.view(kind).to_numpy(zero_copy_only=False)


def _varying(values: Any, *, numeric: bool) -> _Varying:
    import numpy as np

    encoded = values.dictionary_encode()
    distinct = encoded.dictionary.to_pylist()
    dumper = DecimalBinaryDumper(Decimal)
    texts = [_number(dumper, each) if numeric else each.encode() for each in distinct]
    lengths = np.array([*map(len, texts), -1], np.int64)
    # Null is the code behind the last value.
    codes = encoded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    return _Varying(codes, [*texts, b""], lengths)


def _number(dumper: DecimalBinaryDumper, value: Decimal) -> bytes:
    """Without the zeros at the end that a column of one scale carries."""
    # As text, since Decimal's own arithmetic rounds to 28 digits.
    text = format(value, "f")
    plain = Decimal(text.rstrip("0").rstrip(".") if "." in text else text)
    return bytes(dumper.dump(plain) or b"")
