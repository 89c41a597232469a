"""Lines read by the places of their texts say what the JSON parser would have said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st

from retention.usage.alike import Placing, placed_schema
from retention.usage.formats import SEGMENT_TRACK, EventFormat
from retention.usage.lines import _batch_of_lines, _ends
from retention.usage.parse import events_query
from retention.usage.template import learn
from tests.usage_product import LINES

NESTED = replace(LINES, columns={**LINES.columns, "c_acc": '$.in."$g".acc', "c_n": "$.in.n"})
SOUND = '{"id":"e1","what":"login","at":"2026-06-01T10:00:00Z","in":{"$g":{"acc":"a1"}},"o":"x"}'

texts = st.one_of(
    st.text(max_size=14),
    st.sampled_from(["", " ", "2026-06-01T10:00:00Z", "longer than twelve bytes", "exactlytwelv"]),
)
spelled = st.builds(
    lambda id_, what, acc, other: json.dumps(
        {"id": id_, "what": what, "at": "2026-06-01T10:00:00Z", "in": {"$g": {"acc": acc}}}
        | ({"o": other} if other else {}),
        ensure_ascii=False,
        separators=(",", ":"),
    ),
    texts, texts, texts, st.sampled_from(["", "x", "7"]),
)  # fmt: skip
bent = st.builds(
    lambda place, length, put: SOUND[:place] + put + SOUND[place + length :],
    st.integers(0, len(SOUND)),
    st.integers(0, 3),
    st.sampled_from(["", '"', "}", "{", ",", ":", "x", " ", "\\", '"id":"e2",', "\t", "1", "\0"]),
)


def _read(lines: list[bytes], form: EventFormat, *, placing: bool) -> tuple[list[Any], int]:
    block = b"".join(line + b"\n" for line in lines)
    batch = _batch_of_lines(0, 1, block, _ends(block))
    schema = placed_schema(form)
    read = next(Placing(form).rows(iter([batch])))
    if not placing:
        absent = [pa.nulls(batch.num_rows, pa.string_view())] * len(form.columns)
        columns = [*batch.columns, pa.repeat(pa.scalar(False), batch.num_rows), *absent]
        read = pa.RecordBatch.from_arrays(columns, schema=schema)
    read.validate(full=True)
    with duckdb.connect() as db:
        db.execute("set TimeZone = 'UTC'")
        db.register("rows_in", pa.Table.from_batches([read]))
        query = events_query(form, careful=True)
        rows = db.execute(f"select * exclude (shape) from ({query}) order by line").fetchall()
    return rows, read.column("placed").true_count


@settings(max_examples=40, deadline=None)
@given(lines=st.lists(st.one_of(st.just(SOUND), spelled, bent), min_size=1, max_size=12))
def test_reading_by_places_says_what_the_parser_says(lines: list[str]) -> None:
    raw = [line.replace("\n", " ").encode() for line in lines]
    by_place, placed = _read([SOUND.encode(), *raw], NESTED, placing=True)
    parsed, _ = _read([SOUND.encode(), *raw], NESTED, placing=False)
    assert by_place == parsed
    assert placed >= 1
    note(f"{placed > 1}")


def _variants() -> Iterator[bytes]:
    yield SOUND.replace('"o":"x"', '"id":"x"').encode()  # a key repeated, as long as the other
    yield SOUND.replace('"o":"x"', '"o":"\\""').encode()
    yield SOUND.replace('{"acc":"a1"}}', '{"acc":"a1"},').encode() + b"}"
    yield SOUND.replace("login", "log\tin").encode()
    yield SOUND.replace("login", "log\xffin").encode("latin-1")
    yield SOUND[:-1].encode()
    yield SOUND.replace('"login"', "12345").encode()


@pytest.mark.parametrize("line", list(_variants()))
def test_a_line_that_differs_beside_its_texts_goes_to_the_parser(line: bytes) -> None:
    rows, placed = _read([SOUND.encode(), line], NESTED, placing=True)
    assert placed == 1
    assert rows == _read([SOUND.encode(), line], NESTED, placing=False)[0]


def test_a_template_is_learnt_only_from_a_sound_line_of_texts() -> None:
    assert learn(SOUND.encode() + b"\n", NESTED) is not None
    assert [learn(line, NESTED) for line in _variants()] == [None] * 7


def test_the_lines_of_an_exporter_need_no_parser_but_for_numbers() -> None:
    rows = [
        json.dumps(
            {
                "messageId": f"m{n}", "timestamp": "2026-06-01T10:00:00Z", "userId": f"u{n % 9}",
                "receivedAt": "2026-06-01T10:00:00Z", "event": "login" * (n % 5 + 1),
                "context": {"groupId": "a"}, "properties": {"value": n} if n % 14 == 3 else {},
            }
        ).encode()
        for n in range(140)
    ]  # fmt: skip
    read, placed = _read(rows, SEGMENT_TRACK, placing=True)
    assert placed == 130
    assert read == _read(rows, SEGMENT_TRACK, placing=False)[0]
