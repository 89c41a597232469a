"""Typeform's responses by window, by token and by form."""

from __future__ import annotations

from demo.servers.app import Servers
from tests.demo.servers.small_world import ask, responses


def test_typeform_walks_back_through_all_responses_by_token(servers: Servers) -> None:
    assert len(responses(servers, "")["items"]) == 25
    first = responses(servers, "page_size=1000")
    assert (first["total_items"], first["page_count"]) == (1100, 2)
    last = first["items"][-1]["token"]
    rest = responses(servers, f"page_size=1000&before={last}")
    assert rest["page_count"] == 1
    tokens = [entry["token"] for entry in first["items"] + rest["items"]]
    assert tokens == [f"tok{n:05d}" for n in reversed(range(1100))]
    assert "form_id" not in first["items"][0]
    forward = responses(servers, "page_size=10&after=tok00005")
    assert [entry["token"] for entry in forward["items"]] == [f"tok{n:05d}" for n in range(6, 16)]


def test_since_and_until_include_both_ends(servers: Servers) -> None:
    window = "since=2026-06-01T00:10:00&until=1780273800"
    found = responses(servers, window)
    assert [entry["token"] for entry in found["items"]] == ["tok00003", "tok00002", "tok00001"]


def test_typeform_refuses_a_token_together_with_a_window(servers: Servers) -> None:
    refused = ask(servers, "typeform", "/forms/nps/responses?before=tok00005&since=1780273800")
    assert refused.status_code == 400
    assert refused.json()["code"] == "VALIDATION_ERROR"
    assert ask(servers, "typeform", "/forms/nps/responses?page_size=1001").status_code == 400
    assert ask(servers, "typeform", "/forms/other/responses").json()["code"] == "FORM_NOT_FOUND"
    wrong = ask(servers, "typeform", "/forms", headers={"authorization": "Bearer no"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "AUTHENTICATION_FAILED")


def test_typeform_lists_its_forms(servers: Servers) -> None:
    assert [form["id"] for form in ask(servers, "typeform", "/forms").json()["items"]] == ["nps"]
    assert ask(servers, "typeform", "/forms/nps").json()["fields"][0]["id"] == "f1"
