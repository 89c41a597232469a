"""The state of the MRR history is written after every model that is built incrementally."""

from __future__ import annotations

import re

from tests.places import ROOT

MODELS = {path.stem: path.read_text() for path in (ROOT / "dbt_project/models").rglob("*.sql")}


def ancestors(model: str) -> set[str]:
    found: set[str] = set()
    waiting = {model}
    while waiting:
        text = MODELS.get(waiting.pop(), "")
        parents = set(re.findall(r"ref\('(\w+)'\)", text)) - found
        found |= parents
        waiting |= parents
    return found


def test_every_rebuilt_model_is_complete_when_the_state_is_written() -> None:
    rebuilt = {
        name
        for name, text in MODELS.items()
        if "incremental_strategy='rebuild'," in text or "**rebuilt(" in text
    }
    assert len(rebuilt) > 10
    assert rebuilt - ancestors("int_rebuild_state") == set()
