"""Usage files with flaws: the file is rejected, or single rows are quarantined."""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from retention.errors import ExtractionError, QuarantineRateExceeded
from retention.warehouse import Warehouse
from tests.usage.usage_product import LINES, Product, event, many


@pytest.fixture
def product(module_warehouse: Warehouse, tmp_path: Path) -> Product:
    return Product(module_warehouse, tmp_path)


def test_invalid_rows_are_quarantined_with_file_line_reason_and_text(
    product: Product,
) -> None:
    bad = {
        "malformed": ['{"id": "x"', "nonsense", "{} {}"],
        "missing_event_id": [event(0, id=None), event(0, id="  "), {}],
        "missing_account": [event("no-account", acc=None)],
        "missing_feature": [event("no-feature", what="")],
        "bad_timestamp": [
            event(f"time{place}", at, got="2026-06-01T10:00:00Z")
            for place, at in enumerate(
                (
                    "0000-01-01",
                    "2026-02-30T00:00:00Z",
                    "infinity",
                    "12026-01-01T00:00:00Z",
                    "1780000000",
                    "1969-12-31T23:59:59Z",
                    "2100-01-01T00:00:00Z",
                    "",
                    "yesterday",
                )
            )
        ]
        + [event("got", got="never")],
        "bad_number": [
            event(f"number{place}", n=n)
            for place, n in enumerate(("many", "1e400", "NaN", "1,5", "1000000000000"))
        ]
        + [
            '{"id":"inf","acc":"a","what":"w","at":"2026-06-01","got":"2026-06-01","n":Infinity}',
            '{"id":"long","acc":"a","what":"w","at":"2026-06-01","n":0.1234567890123456789}',
        ],
        "duplicate_key": ['{"id":"d1","id":"d2","acc":"a","what":"w","at":"2026-06-01T00:00:00Z"}'],
        "bad_encoding": [b'{"id":"\xff","acc":"a","what":"w","at":"2026-06-01T00:00:00Z"}'],
    }
    rows = [(code, row) for code, group in bad.items() for row in group]
    good = many(1000)
    random.Random(7).shuffle(rows)
    product.put("days.ndjson.gz", *good[:500], *(row for _, row in rows), *good[500:])
    result = product.load()
    assert result.rejected == len(rows)
    assert result.records_seen == len(rows) + 1000
    assert product.counts() == {("2026-06-01", "a1"): 1000}
    found = product.quarantine()
    wanted = [
        (f"days.ndjson.gz line {501 + place}", code, _text(row))
        for place, (code, row) in enumerate(rows)
    ]
    assert found == wanted


def _text(row: dict[str, Any] | str | bytes) -> str:
    if isinstance(row, dict):
        return json.dumps(row)
    return row.decode("utf-8", "replace") if isinstance(row, bytes) else row


def test_a_repeated_key_is_found_at_every_level(product: Product) -> None:
    product.form = replace(LINES, columns={**LINES.columns, "c_acc": "$.in.acc"})
    rows = [{**event(place), "in": {"acc": "a1"}} for place in range(60)]
    nested = '{"id":"x","in":{"acc":"a","acc":"b"},"what":"w","at":"2026-06-01T00:00:00Z"}'
    product.put("a.ndjson", *rows[:50], nested, *rows[50:])
    product.load()
    assert [(place, code) for place, code, _ in product.quarantine()] == [
        ("a.ndjson line 51", "duplicate_key")
    ]
    assert sum(product.counts().values()) == 60


def test_a_row_corrected_in_a_later_file_leaves_the_quarantine(product: Product) -> None:
    product.put("a.ndjson", *many(40), event("bad", acc=None), "broken")
    product.load()
    assert [code for _, code, _ in product.quarantine()] == ["missing_account", "malformed"]
    product.put("b.ndjson", event("bad"))
    product.load()
    assert [code for _, code, _ in product.quarantine()] == ["malformed"]
    product.put("a.ndjson", *many(40))
    product.load()
    assert product.quarantine() == []


def test_too_many_bad_rows_load_nothing(product: Product) -> None:
    product.put("a.ndjson", *many(9), "broken", "broken too")
    with pytest.raises(QuarantineRateExceeded, match=r"2 of 11.*a.ndjson line 10"):
        product.load()
    assert product.load_log() == [("failed", 11, 0, 2, "quarantine_rate")]
    assert product.days() == []
    assert product.quarantine() == []
    assert not list(product.lake.rglob("*.parquet"))
    product.extra = {"quarantine_rate": 0.5}
    assert product.load().rejected == 2


@pytest.mark.parametrize("place", ["half", "trailer", "checksum", "flip", "second", "garbage"])
def test_a_damaged_gzip_file_is_rejected(product: Product, place: str) -> None:
    body = "".join(json.dumps(event(each)) + "\n" for each in range(3000)).encode()
    whole = gzip.compress(body)
    damaged = {
        "half": whole[: len(whole) // 2],
        "trailer": whole[:-5],
        "checksum": whole[:-8] + bytes(4) + whole[-4:],
        "flip": whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:],
        "second": gzip.compress(body[:100]) + whole[:-200],
        "garbage": whole + b"<html>not found</html>",
    }[place]
    (product.drop / "a.ndjson.gz").write_bytes(damaged)
    product.put("b.ndjson", event("fine"))
    with pytest.raises(ExtractionError, match=r"truncated_body.*a\.ndjson\.gz"):
        product.load()
    assert [row[4] for row in product.load_log()] == ["truncated_body"]
    assert product.days() == []
    (product.drop / "a.ndjson.gz").write_bytes(whole)
    product.load()
    assert sum(product.counts().values()) == 3001


def test_every_member_of_a_gzip_is_read_and_its_padding_ignored(product: Product) -> None:
    rows = [(json.dumps(event(each)) + "\n").encode() for each in range(100)]
    cut = b"".join(rows)
    body = b"".join(gzip.compress(cut[at : at + 777]) for at in range(0, len(cut), 777))
    (product.drop / "a.ndjson.gz").write_bytes(body + bytes(1000))
    product.load()
    assert sum(product.counts().values()) == 100


@pytest.mark.parametrize("name", ["a.ndjson", "a.ndjson.gz"])
def test_an_incomplete_last_line_rejects_the_file(product: Product, name: str) -> None:
    body = "".join(json.dumps(event(each)) + "\n" for each in range(100)).encode()[:-20]
    (product.drop / name).write_bytes(gzip.compress(body) if name.endswith("gz") else body)
    with pytest.raises(ExtractionError, match=r"truncated_body.*line 100"):
        product.load()


def test_byte_order_mark_windows_line_ends_and_blank_lines_are_valid(product: Product) -> None:
    body = "\ufeff" + "\r\n".join(["", *(json.dumps(event(n)) for n in range(50)), " ", "broken"])
    (product.drop / "a.ndjson").write_bytes((body + "\r\n\r\n").encode())
    assert product.load().records_seen == 51
    assert product.quarantine() == [("a.ndjson line 53", "malformed", "broken")]


def test_a_line_above_the_length_limit_is_rejected(product: Product) -> None:
    with gzip.open(product.drop / "bomb.ndjson.gz", "wb") as bomb:
        for _ in range(40):
            bomb.write(b" " * 1_000_000)
    with pytest.raises(ExtractionError, match=r"payload_too_large.*bomb\.ndjson\.gz"):
        product.load()


def test_nul_characters_are_removed_and_counted(product: Product) -> None:
    product.put("a.ndjson", event(1, who="u\x001"), event(2, what="log\x00in"), event(3))
    assert product.load().sanitised == 2
    assert [(row[2], row[4], row[5]) for row in product.days()] == [("u1", "login", 3)]


def test_units_are_exact(product: Product) -> None:
    texts = ["0.1", "0.2", '"12345678901.000000000000000001"', "-0", "1e3", "0.30000000000000004"]
    for place, text in enumerate(texts):
        line = json.dumps(event(place, what=f"f{place}"))[:-1] + f', "n": {text}}}'
        with (product.drop / "a.ndjson").open("a") as out:
            out.write(line + "\n")
    product.load()
    units = [Decimal(text.strip('"')) for text in texts]
    assert [row[6] for row in product.days()] == units
