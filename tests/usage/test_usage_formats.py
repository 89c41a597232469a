"""Formats of usage files: CSV, Parquet, epochs, lookups and duplicate event ids."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from retention.errors import ConfigurationError, ExtractionError
from retention.source import Connection
from retention.sources.posthog import SOURCE
from retention.usage.formats import (
    POSTHOG,
    EventFormat,
    Lookup,
    epoch_milliseconds,
    epoch_seconds,
    instant,
)
from retention.warehouse import Warehouse
from tests.usage.usage_product import DAY, LINES, Product, event, many


@pytest.fixture
def product(module_warehouse: Warehouse, tmp_path: Path) -> Product:
    return Product(module_warehouse, tmp_path)


CSV = EventFormat(
    name="csv",
    kind="csv",
    columns={
        "id": "Event id",
        "sub": "Subscription",
        "what": "Feature",
        "day": "Day",
        "n": "Count",
    },
    event_id="id",
    account="owner",
    subscription="sub",
    feature="what",
    occurred_at=instant("day", "Europe/Berlin"),
    units="n",
    lookups=(
        Lookup(
            "owner",
            "select * from (values ('s1', 'a1'), ('s2', 'a2'), ('s3', 'x'), ('s3', 'y'))"
            " as owners (key, value)",
            on="sub",
        ),
    ),
)


def test_csv_with_a_look_up_a_zone_and_ragged_rows(
    module_warehouse: Warehouse, tmp_path: Path
) -> None:
    product = Product(module_warehouse, tmp_path, CSV)
    body = (
        "Day,Event id,Subscription,Feature,Count,More\r\n"
        '2026-06-01,1,s1,"search, fast",2,x\r\n'
        '2026-06-02 01:30:00,2,s2,"two\nlines",3.5,x\r\n'
        "2026-06-02T01:30:00Z,3,s2,login,,x\r\n"
        "2026-06-02,4,s3,login,1,x\r\n"
        "2026-06-02,5,s9,login,1,x\r\n"
        "2026-06-02,6,s1,login\r\n"
        "\r\n"
        "2026-06-02,7,s1,login,many,x\r\n"
    )
    (product.drop / "u.csv").write_bytes(body.encode())
    product.extra = {"quarantine_rate": 0.8}
    product.load()
    assert [(str(row[0]), row[1], row[3], row[4], row[6]) for row in product.days()] == [
        ("2026-05-31", "a1", "s1", "search, fast", Decimal(2)),
        ("2026-06-01", "a2", "s2", "two\nlines", Decimal("3.5")),
        ("2026-06-02", "a2", "s2", "login", None),
    ]
    assert [(place, code) for place, code, _ in product.quarantine()] == [
        ("u.csv line 6", "missing_account"),
        ("u.csv line 7", "missing_account"),
        ("u.csv line 8", "malformed"),
        ("u.csv line 10", "bad_number"),
    ]
    assert product.quarantine()[2][2] == "2026-06-02,6,s1,login"


def test_a_csv_without_a_column_names_it(module_warehouse: Warehouse, tmp_path: Path) -> None:
    product = Product(module_warehouse, tmp_path, CSV)
    (product.drop / "u.csv").write_text("Event id,Feature,Day,Count\n1,f,2026-06-01,1\n")
    with pytest.raises(ExtractionError, match=r"missing_column.*u\.csv.*Subscription"):
        product.load()


def test_a_csv_that_ends_inside_a_quote_is_refused(
    module_warehouse: Warehouse, tmp_path: Path
) -> None:
    product = Product(module_warehouse, tmp_path, CSV)
    (product.drop / "u.csv").write_text(
        'Day,Event id,Subscription,Feature,Count\n2026-06-01,1,s1,"log'
    )
    with pytest.raises(ExtractionError, match="truncated_body"):
        product.load()


@pytest.mark.parametrize("packed", [False, True])
def test_parquet_files_plain_or_gzip(
    module_warehouse: Warehouse, tmp_path: Path, packed: bool
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    form = replace(CSV, name="parquet", kind="parquet", account="sub", lookups=())
    product = Product(module_warehouse, tmp_path, form)
    rows = [
        {
            "Event id": n,
            "Subscription": f"s{n % 2}" if n != 7 else None,
            "Feature": "f",
            "Day": datetime(2026, 6, 1, 12, tzinfo=UTC),
            "Count": 1.5,
        }
        for n in range(40)
    ]
    plain = tmp_path / "u.parquet"
    pq.write_table(pa.Table.from_pylist(rows), plain)
    body = plain.read_bytes()
    (product.drop / "u.parquet").write_bytes(gzip.compress(body) if packed else body)
    product.load()
    assert product.counts() == {("2026-06-01", "s0"): 20, ("2026-06-01", "s1"): 19}
    [(place, code, raw)] = product.quarantine()
    assert (place, code, json.loads(raw)["Event id"]) == ("u.parquet line 8", "missing_account", 7)


def test_a_damaged_parquet_file_is_refused(module_warehouse: Warehouse, tmp_path: Path) -> None:
    product = Product(module_warehouse, tmp_path, replace(CSV, kind="parquet", lookups=()))
    (product.drop / "u.parquet").write_bytes(b"PAR1 and then nothing")
    with pytest.raises(ExtractionError, match=r"truncated_body.*u\.parquet"):
        product.load()


def test_epoch_times_of_the_wrong_unit_are_unreadable(product: Product) -> None:
    moment = int(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp())
    rows = [event(n, str(moment + n), got=None) for n in range(60)]
    product.form = replace(LINES, occurred_at=epoch_seconds("c_at"), received_at=None)
    product.put("a.ndjson", *rows, event("milli", f"{moment}123", got=None))
    product.load()
    assert [code for _, code, _ in product.quarantine()] == ["bad_timestamp"]
    other = Product(product.wh, product.drop.parent)
    other.form = replace(LINES, occurred_at=epoch_milliseconds("c_at"), received_at=None)
    rows = [event(n, f"{moment + n}123", got=None) for n in range(60)]
    other.put("a.ndjson", *rows, event("seconds", str(moment), got=None))
    other.load()
    assert [code for _, code, _ in other.quarantine()] == ["bad_timestamp"]
    assert other.days()[0][7] == datetime.fromtimestamp(moment, UTC) + timedelta(milliseconds=123)


def test_rows_with_one_id_and_different_content_are_rejected(
    product: Product,
) -> None:
    product.form = replace(LINES, duplicates="reject")
    twins = [event("twin", n=1), event("twin", n=2)]
    product.put("a.ndjson", *many(60), twins[0], event("same"), event("same"))
    product.load()
    assert sum(product.counts().values()) == 62
    product.put("b.ndjson", *[event(f"more{n}") for n in range(60)], twins[1])
    product.load()
    assert sum(product.counts().values()) == 121
    assert product.quarantine() == [
        ("a.ndjson line 61", "duplicate_id", json.dumps(twins[0])),
        ("b.ndjson line 61", "duplicate_id", json.dumps(twins[1])),
    ]


def test_every_row_counts_when_duplicates_are_kept(product: Product) -> None:
    product.form = replace(LINES, duplicates="keep")
    product.put("a.ndjson", event(1), event(1), event(1, n=2))
    product.put("b.ndjson", event(1))
    product.load()
    assert product.counts() == {("2026-06-01", "a1"): 4}


def test_a_posthog_export_is_read_as_documented(
    module_warehouse: Warehouse, tmp_path: Path
) -> None:
    product = Product(module_warehouse, tmp_path, POSTHOG)
    rows = [
        {
            "uuid": f"0197-{n}",
            "event": "report_viewed",
            "distinct_id": "c-1",
            "person_id": "p",
            "properties": {"$groups": {"company": "77"}, "$lib": "web"},
            "person_properties": {},
            "elements_chain": "",
            "timestamp": f"2026-06-01T10:00:0{n}.123456+00:00",
            "created_at": "2026-06-01T10:01:00+00:00",
            "_inserted_at": "2026-06-01T10:02:00+00:00",
        }
        for n in range(5)
    ]
    product.put("2026-06-01.jsonl.gz", *rows)
    product.load()
    assert [row[:6] for row in product.days()] == [(DAY, "77", "c-1", "", "report_viewed", 5)]
    [stream] = SOURCE.streams
    files = stream.extra["event_files"](Connection("x", str(product.drop)))
    assert [files.name(path) for path in files.paths] == ["2026-06-01.jsonl.gz"]


def test_a_missing_folder_is_a_clear_error(product: Product) -> None:
    with pytest.raises(ConfigurationError, match="no folder"):
        product.load(drop=product.drop / "elsewhere")
