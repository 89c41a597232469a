"""Typeform: every response once, partial or completed, and no score off its scale."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from retention.errors import ExtractionError
from retention.landing.documents import Prepared, prepare
from retention.source import Connection, Record, Rejected
from retention.sources.typeform import SOURCE
from retention.window import Window
from tests.loading import is_whole
from tests.vendor_replay import Answer, Replay, Request, fixture, json_answer

DAY = Window(datetime(2026, 6, 30, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))
HISTORY = Window(None, DAY.end)
RESPONSES = SOURCE.stream("responses")
NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def response(number: int, when: datetime = NOON, score: Any = 9, **fields: Any) -> dict[str, Any]:
    answer = {"field": {"id": "f1", "type": "opinion_scale"}, "type": "number", "number": score}
    return {
        "token": f"t{number}",
        "response_type": "completed",
        "landed_at": stamp(when - timedelta(minutes=2)),
        "submitted_at": stamp(when),
        "answers": [answer],
        **fields,
    }


def partial(number: int, when: datetime = NOON) -> dict[str, Any]:
    doc = response(number, when, response_type="partial", staged_at=stamp(when))
    return doc | {"submitted_at": None}


class Surveys:
    """A small Typeform: forms, responses newest first, inclusive windows, before tokens."""

    def __init__(self, docs: list[dict[str, Any]], title: str = "NPS") -> None:
        self.docs = docs
        self.form = {"id": "abc123", "title": title}

    def __call__(self, request: Request) -> Answer:
        if request.path == "/forms":
            return json_answer({"total_items": 1, "page_count": 1, "items": [self.form]})
        assert not ("before" in request.query and "since" in request.query)
        kind = request.query["response_type"]
        docs = [doc for doc in self.docs if doc["response_type"] == kind]
        docs.sort(key=lambda doc: (self.moment(doc), doc["token"]), reverse=True)
        if "before" in request.query:
            tokens = [doc["token"] for doc in docs]
            docs = docs[tokens.index(request.query["before"]) + 1 :]
        low, high = request.query.get("since", ""), request.query.get("until", "~")
        docs = [doc for doc in docs if low <= self.moment(doc) <= high]
        size = int(request.query["page_size"])
        return json_answer({"total_items": len(docs), "page_count": 1, "items": docs[:size]})

    @staticmethod
    def moment(doc: dict[str, Any]) -> str:
        return str(doc["submitted_at"] or doc["staged_at"])


def read(connection: Connection, window: Window = DAY) -> list[Record | Rejected]:
    return list(RESPONSES.extract(connection, RESPONSES, window))


def fails(server: Replay, window: Window = DAY) -> ExtractionError:
    with pytest.raises(ExtractionError) as caught:
        read(server.connection(), window)
    assert f"typeform/responses {window} page" in caught.value.where
    return caught.value


def ids(rows: list[Record | Rejected]) -> list[str]:
    return sorted(row.record_id or "" for row in rows)


def test_1001_responses_take_a_second_page_and_come_once() -> None:
    """A18, A9: pages overlap at their border; a response on both counts once."""
    docs = [response(n, NOON + timedelta(seconds=n // 3)) for n in range(1001)]
    with Replay(Surveys(docs)) as server:
        extraction = RESPONSES.extract(server.connection(), RESPONSES, DAY)
        assert ids(list(extraction)) == sorted(f"t{n}" for n in range(1001))
        assert extraction.control_total == 1001  # type: ignore[attr-defined]


def test_a_completed_response_supersedes_its_partial_version() -> None:
    """A18: one token with two versions, the completed one last."""
    surveys = Surveys([partial(1)])
    with Replay(surveys) as server:
        (begun,) = read(server.connection())
        surveys.docs = [response(1, DAY.end + timedelta(hours=1))]
        following = Window(DAY.end - RESPONSES.overlap, DAY.end + timedelta(days=1))
        (done,) = read(server.connection(), following)
    assert isinstance(begun, Record)
    assert isinstance(done, Record)
    assert begun.record_id == done.record_id == "t1"
    assert begun.updated_at < done.updated_at  # type: ignore[operator]
    assert done.doc["response_type"] == "completed"


def test_a_response_completed_between_two_requests_is_read_once() -> None:
    """A3: listed as completed first, so that the partial listing cannot contradict it."""
    surveys = Surveys([response(1)])

    def vendor(request: Request) -> Answer:
        if request.query.get("response_type") == "partial":
            return json_answer({"total_items": 1, "items": [partial(1)]})
        return surveys(request)

    with Replay(vendor) as server:
        (row,) = read(server.connection())
    assert row.doc["response_type"] == "completed"  # type: ignore[union-attr]


def test_many_partial_responses_are_paged_by_token() -> None:
    """A18: no window beside a token."""
    docs = [partial(n, NOON - timedelta(seconds=n)) for n in range(1500)]
    with Replay(Surveys(docs)) as server:
        assert len(set(ids(read(server.connection())))) == 1500


def test_the_window_is_half_open() -> None:
    """A9: both of Typeform's ends are inclusive; ours is not."""
    edges = [DAY.start - timedelta(seconds=1), DAY.start, DAY.end - timedelta(seconds=1), DAY.end]  # type: ignore[operator]
    docs = [response(n, when) for n, when in enumerate(edges)]  # type: ignore[arg-type]
    late = partial(9, DAY.end)
    with Replay(Surveys([*docs, late])) as server:
        assert ids(read(server.connection())) == ["t1", "t2"]
        assert ids(read(server.connection(), HISTORY)) == ["t0", "t1", "t2"]


@pytest.mark.parametrize("kind", ["completed", "partial"])
def test_fewer_responses_than_the_total_fail(kind: str) -> None:
    """A7: the total is 40, but only 25 responses come."""
    make: Callable[[int], dict[str, Any]] = response if kind == "completed" else partial
    calls: list[str] = []

    def vendor(request: Request) -> Answer:
        if request.path == "/forms":
            return Surveys([])(request)
        if request.query["response_type"] != kind:
            return json_answer({"total_items": 0, "items": []})
        calls.append(request.path)
        items = [make(n) for n in range(25)] if len(calls) == 1 else []
        return json_answer({"total_items": 40 if len(calls) == 1 else 15, "items": items})

    with Replay(vendor) as server:
        assert fails(server).code == "incomplete_read"


def test_a_repeated_page_token_is_stopped() -> None:
    """A6: the same page for every token."""

    def vendor(request: Request) -> Answer:
        if request.query.get("response_type") == "partial":
            return json_answer({"total_items": 99, "items": [partial(1)]})
        return Surveys([])(request)

    with Replay(vendor) as server:
        assert fails(server).code == "pagination_loop"
        assert len(server.requests) <= 5


def test_fewer_forms_than_the_total_fail() -> None:
    """A7: a missing page of forms would lose all responses of its forms."""

    def vendor(request: Request) -> Answer:
        first = request.query["page"] == "1"
        return json_answer(
            {"total_items": 300, "items": [{"id": "a", "title": "NPS"}] if first else []}
        )

    with Replay(vendor) as server:
        assert fails(server).code == "incomplete_read"


def test_a_form_id_cannot_leave_its_path() -> None:
    """G1: a form id that looks like a path remains one path segment."""
    surveys = Surveys([])
    surveys.form = {"id": "../../evil?x=", "title": "NPS"}
    with Replay(surveys) as server:
        assert read(server.connection()) == []
        assert set(server.paths()) == {"/forms", "/forms/..%2F..%2Fevil%3Fx%3D/responses"}


def test_a_window_from_the_future_is_refused() -> None:
    """E4: a cursor in the year 2999 would silently read nothing from then on."""
    start = datetime(2999, 1, 1, tzinfo=UTC)
    with Replay(Surveys([])) as server:
        assert fails(server, Window(start, start + timedelta(days=1))).code == "cursor_in_future"


def test_valid_documents_pass_the_contract_and_the_invalid_one_fails() -> None:
    """Two pages in Typeform's format; the invalid one answers 11 on a scale of 0 to 10."""
    pages = fixture("typeform", "responses")

    def vendor(request: Request) -> Answer:
        if request.path == "/forms":
            return json_answer(fixture("typeform", "forms")[0])
        if request.query["response_type"] == "partial":
            return json_answer({"total_items": 0, "items": []})
        return json_answer(pages[1] if request.query["until"] < "2026-06-28" else pages[0])

    with Replay(vendor) as server:
        rows = read(server.connection(), HISTORY)
    assert len(rows) == 4
    judged = [prepare(row, RESPONSES.record) for row in rows if isinstance(row, Record)]
    assert [is_whole(each) for each in judged] == [True, True, True, False]
    assert rows[0].doc["form_title"].startswith("NPS")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("title", "score", "fits"),
    [
        ("NPS 2026", 0, True),
        ("NPS 2026", 10, True),
        ("NPS 2026", 11, False),
        ("NPS 2026", -1, False),
        ("Net Promoter survey", 11, False),
        ("CSAT after a ticket", 5, True),
        ("CSAT after a ticket", 10, True),
        ("CSAT after a ticket", 0, True),
        ("CES onboarding", 7, True),
        ("CES onboarding", 11, False),
        ("Customer effort score", "8", True),
        ("Anything else", 10, True),
    ],
)
def test_a_score_lies_on_a_scale_that_typeform_has(title: str, score: Any, fits: bool) -> None:
    """An answer off every scale is set aside; its response and the rest of its answers load."""
    doc = response(1, score=score) | {"form_id": "x9", "form_title": title}
    why = {"field": {"id": "f2", "type": "long_text"}, "type": "text", "text": "because"}
    doc["answers"].append(why)
    judged = prepare(Record("t1", doc, NOON, "page 1 row 1"), RESPONSES.record)
    assert isinstance(judged, Prepared)
    assert [part.path for part in judged.set_aside] == ([] if fits else ["answers.0"])
    assert len(json.loads(judged.text)["answers"]) == (2 if fits else 1)
