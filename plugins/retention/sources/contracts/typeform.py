"""Contracts of Typeform responses: respondent, time, and a score that a form can ask for.

A response does not state the scale of its question. Typeform's scales have at most 11 steps from
0 or 10 from 1; the scale of a form is decided in the survey models.
"""

from __future__ import annotations

from typing import Literal, Self

from pydantic import model_validator

from retention.sources.contracts.fields import Document, Id, Moment, Number

_ASKS_FOR_A_SCORE = {"opinion_scale", "rating", "nps"}
_LOWEST, _HIGHEST = 0, 10


class Field(Document):
    id: Id
    type: str


class Answer(Document):
    field: Field
    type: str
    number: Number | None = None

    @model_validator(mode="after")
    def _score_is_on_a_scale(self) -> Self:
        scored = self.field.type in _ASKS_FOR_A_SCORE and self.number is not None
        if scored and not _LOWEST <= (self.number or 0) <= _HIGHEST:
            raise ValueError(f"the score is not between {_LOWEST} and {_HIGHEST}")
        return self


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
    def _completed_has_a_time(self) -> Self:
        if self.response_type == "completed" and self.submitted_at is None:
            raise ValueError("a completed response has no submitted_at")
        return self
