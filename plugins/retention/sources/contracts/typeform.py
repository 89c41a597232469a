"""What the warehouse depends on in Typeform's responses: who, when, and a score on its scale."""

from __future__ import annotations

import re
from typing import Literal, Self

from pydantic import model_validator

from retention.sources.contracts.fields import Document, Id, Moment, Number

# The forms are told apart by their id or title; the scales are the house's own.
SCALES: dict[str, tuple[int, int]] = {"nps": (0, 10), "csat": (1, 5), "ces": (1, 7)}
_WORDS = re.compile(r"\b(nps|csat|ces)\b|net promoter|effort score|satisfaction", re.IGNORECASE)
_LONG_NAMES = {"net promoter": "nps", "effort score": "ces", "satisfaction": "csat"}
_ASKS_FOR_A_SCORE = {"opinion_scale", "rating", "nps"}


def survey_of(form_id: str, title: str) -> str | None:
    """Which survey a form is (nps, csat or ces), by its id or else its title."""
    if form_id.lower() in SCALES:
        return form_id.lower()
    found = _WORDS.search(title)
    word = found.group(0).lower() if found else ""
    return _LONG_NAMES.get(word, word) or None


class Field(Document):
    id: Id
    type: str


class Answer(Document):
    field: Field
    type: str
    number: Number | None = None


class Response(Document):
    token: Id
    form_id: Id
    form_title: str
    response_type: Literal["started", "partial", "completed"] | None = None
    landed_at: Moment
    submitted_at: Moment | None = None
    hidden: dict[str, str | None] | None = None
    answers: list[Answer] | None = None

    @model_validator(mode="after")
    def _scores_lie_on_their_scale(self) -> Self:
        low, high = SCALES.get(survey_of(self.form_id, self.form_title) or "", (0, 10))
        for answer in self.answers or ():
            scored = answer.field.type in _ASKS_FOR_A_SCORE and answer.number is not None
            if scored and not low <= (answer.number or 0) <= high:
                raise ValueError(f"the score {answer.number} is not between {low} and {high}")
        return self

    @model_validator(mode="after")
    def _completed_has_a_time(self) -> Self:
        if self.response_type == "completed" and self.submitted_at is None:
            raise ValueError("a completed response without submitted_at")
        return self
