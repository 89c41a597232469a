"""Neutral facts as Typeform documents: the three forms, and responses partial and completed.

A partial response has ``staged_at`` and no ``submitted_at`` and only the score; completed later
it keeps its token. ``form_id`` tells the form; the API itself says it by its path.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from demo.company.clock import Clock, as_datetime
from demo.company.customer import Customer
from demo.company.facts import State, states
from demo.company.versions import Doc, Records, Version

MADE = -30  # the day on which the forms were made

# form -> (title, question, type of the score's field, its properties)
FORMS: dict[str, tuple[str, str, str, Doc]] = {
    "nps": ("NPS: how likely are you to recommend us?", "How likely are you to recommend us?",
            "opinion_scale", {"steps": 11, "start_at_one": False}),
    "csat": ("CSAT: how was our help?", "How satisfied are you with the help you got?",
             "rating", {"steps": 5, "shape": "star"}),
    "ces": ("CES: how easy was it?", "We made it easy to solve the problem.",
            "opinion_scale", {"steps": 7, "start_at_one": True}),
}  # fmt: skip
TEXTS = {"reason": "Why?", "next_step": "What would make it a 10?"}


def stamp(at: int) -> str:
    """An instant as Typeform writes it."""
    return as_datetime(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def form(name: str, made: int) -> Doc:
    """A form as the Create API shows it."""
    title, question, kind, settings = FORMS[name]
    fields: list[Doc] = [
        {"id": f"{name}Score01", "ref": "score", "title": question, "type": kind,
         "properties": settings, "validations": {"required": True}}
    ]  # fmt: skip
    fields += [
        {"id": f"{name}{ref.title()}", "ref": ref, "title": text, "type": "long_text",
         "properties": {}, "validations": {"required": False}}
        for ref, text in TEXTS.items()
        if ref == "reason" or name == "nps"
    ]  # fmt: skip
    return {
        "id": name, "type": "form", "title": title, "created_at": stamp(made),
        "last_updated_at": stamp(made), "hidden": ["company_id", "contact_id", "email"],
        "settings": {"is_public": True, "language": "en"}, "fields": fields,
    }  # fmt: skip


def answers(state: State) -> list[Doc]:
    """The score, and with the completed response what was written."""
    name = state["form"]
    kind = FORMS[name][2]
    field = {"id": f"{name}Score01", "ref": "score", "type": kind}
    found: list[Doc] = [{"field": field, "type": "number", "number": state["score"]}]
    for ref in TEXTS:
        if state["submitted"] is not None and state[ref] is not None:
            field = {"id": f"{name}{ref.title()}", "ref": ref, "type": "long_text"}
            found.append({"field": field, "type": "text", "text": state[ref]})
    return found


def response(customer: Customer, key: str, state: State) -> Doc:
    """One response as the Responses API shows it."""
    done = state["submitted"] is not None
    doc: dict[str, Any] = {
        "form_id": state["form"], "landing_id": key, "token": key, "response_id": key,
        "response_type": "completed" if done else "partial", "landed_at": stamp(state["landed"]),
        "metadata": {"user_agent": "Mozilla/5.0", "platform": "other", "referer": "",
                     "network_id": key[:10], "browser": "default"},
        "hidden": {"company_id": customer.profile.company_id, "contact_id": state["contact"],
                   "email": state["email"]},
        "calculated": {"score": 0}, "variables": [], "answers": answers(state),
    }  # fmt: skip
    doc["submitted_at" if done else "staged_at"] = stamp(
        state["submitted"] if done else state["staged"]
    )
    return doc


def render(records: Records, customers: Sequence[Customer], clock: Clock, days: int) -> None:
    """Add the Typeform streams to the records."""
    until, made = clock.midnight(days), clock.midnight(MADE) + 32_400
    records["typeform", "forms"] = {
        name: [Version(as_datetime(made), form(name, made))] for name in FORMS
    }
    into = records["typeform", "responses"] = {}
    for customer in customers:
        for key, steps in customer.facts.of("response").items():
            found = [
                Version(as_datetime(at), response(customer, key, state))
                for at, state in states(steps, until)
            ]
            if found:
                into[key] = found
