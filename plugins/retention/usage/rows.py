"""Register the rows of event files of any kind as a DuckDB relation."""

# ruff: noqa: S608 - every part is a declaration of ours or a quoted literal

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from retention.errors import ExtractionError, RetentionError
from retention.usage.compressed import EventFile, damaged, decompressed
from retention.usage.csv_rows import csv_batches, csv_schema
from retention.usage.formats import EventFormat
from retention.usage.lines import json_batches, row_schema
from retention.usage.parse import literal

if TYPE_CHECKING:
    import duckdb


@contextmanager
def rows_in(
    db: duckdb.DuckDBPyConnection,
    form: EventFormat,
    event_files: list[EventFile],
    folder: Path,
    keep_alive: Callable[[], None],
) -> Iterator[None]:
    """Register the rows as relation ``rows_in`` for the block; raises their RetentionError."""
    import duckdb
    import pyarrow as pa

    if form.kind == "parquet":
        with _parquet_rows(db, event_files, folder):
            yield
        return
    csv = form.kind == "csv"
    failure: list[RetentionError] = []
    batches = csv_batches(event_files, form) if csv else json_batches(event_files)

    def guarded() -> Iterator[pa.RecordBatch]:
        try:
            for batch in batches:
                keep_alive()
                yield batch
        except RetentionError as error:
            failure.append(error)
            raise

    schema = csv_schema(form) if csv else row_schema()
    db.register("rows_in", pa.RecordBatchReader.from_batches(schema, guarded()))
    try:
        yield
    except duckdb.Error:
        # The original error names the file, DuckDB's wrapper does not.
        if failure:
            raise failure[0] from None
        raise
    finally:
        db.unregister("rows_in")


@contextmanager
def _parquet_rows(
    db: duckdb.DuckDBPyConnection, event_files: list[EventFile], folder: Path
) -> Iterator[None]:
    import duckdb

    scratch = folder / "decompressed"
    scratch.mkdir()
    try:
        reads = []
        for event_file in event_files:
            path = literal(str(decompressed(event_file, scratch)))
            source = f"read_parquet({path}, file_row_number = true)"
            try:
                db.execute(f"select count(*) from (select * from {source})").fetchall()
            except duckdb.Error as error:
                raise damaged(event_file, str(error).splitlines()[0]) from error
            reads.append(
                f"select *, {event_file.number}::integer as file, file_row_number + 1 as line "
                f"from {source}"
            )
        union = " union all by name ".join(reads)
        db.execute(
            "create or replace temp view rows_in as "
            f"select *, cast(to_json(events_in) as varchar) as raw from ({union}) as events_in"
        )
        yield
    except duckdb.BinderException as error:
        message = str(error).splitlines()[0]
        raise ExtractionError(message, code="missing_column", where=event_files[0].name) from error
    finally:
        db.execute("drop view if exists rows_in")
        shutil.rmtree(scratch, ignore_errors=True)
