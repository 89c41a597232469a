"""The direction of the dbt project: subjects in one order, and no intermediate reads a mart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from tests.places import ROOT

PROJECT = ROOT / "dbt_project"
MODELS = PROJECT / "models"
SUBJECTS = (
    "customers",
    "billing",
    "retention",
    "usage",
    "support",
    "survey",
    "relationship",
    "metrics",
    "health",
    "alerts",
    "tasks",
    "value",
    "quality",
)
LONGEST_PATH = 20

REF = re.compile(r"\bref\(\s*'([a-z0-9_]+)'")
CALL = re.compile(r"\b([a-z_]+)\(")
MACRO = re.compile(r"macro\s+(\w+)\s*\((.*?)endmacro", re.S)


class Model(NamedTuple):
    """A model after staging: where it lies, and the models it reads."""

    layer: str
    subject: str
    reads: frozenset[str]


def without_comments(text: str) -> str:
    return re.sub(r"--(?!\s*depends_on).*|\{#.*?#\}", "", text)


@cache
def refs_of_macros() -> dict[str, frozenset[str]]:
    """The models that each macro reads, by itself or through another macro."""
    texts = {
        name: body
        for path in (PROJECT / "macros").glob("*.sql")
        for name, body in MACRO.findall(without_comments(path.read_text()))
    }
    calls = {name: set(CALL.findall(body)) & set(texts) for name, body in texts.items()}
    refs = {name: set(REF.findall(body)) for name, body in texts.items()}
    for _ in texts:
        refs = {
            name: found.union(*(refs[called] for called in calls[name]))
            for name, found in refs.items()
        }
    return {name: frozenset(found) for name, found in refs.items()}


def reads_of(path: Path) -> frozenset[str]:
    text = without_comments(path.read_text())
    macros = refs_of_macros()
    called = [macros[name] for name in CALL.findall(text) if name in macros]
    return frozenset(REF.findall(text)).union(*called)


@cache
def models() -> dict[str, Model]:
    """Every model by name; its reads without seeds and sources."""
    paths = {path.stem: path for path in MODELS.rglob("*.sql")}
    return {
        name: Model(*path.relative_to(MODELS).parts[:2], reads_of(path) & set(paths))
        for name, path in paths.items()
    }


def reads() -> Iterator[tuple[str, Model, str, Model]]:
    """Each pair of a model after staging and a model after staging that it reads."""
    for name, model in models().items():
        for other in sorted(model.reads):
            if "staging" not in (model.layer, models()[other].layer):
                yield name, model, other, models()[other]


def depth(name: str, found: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The longest chain of models that ends in ``name``."""
    if name not in found:
        chains = [depth(other, found) for other in models()[name].reads]
        found[name] = (*max(chains, key=len, default=()), name)
    return found[name]


def test_every_folder_is_a_subject() -> None:
    folders = {model.subject for model in models().values() if model.layer != "staging"}
    assert folders <= set(SUBJECTS)


def test_no_intermediate_reads_a_mart() -> None:
    found = [
        f"{name} reads {other}"
        for name, model, other, read in reads()
        if (model.layer, read.layer) == ("intermediate", "marts")
    ]
    assert not found, found


def test_each_layer_reads_its_own_or_earlier_subjects() -> None:
    found = [
        f"{name} ({model.subject}) reads {other} ({read.subject})"
        for name, model, other, read in reads()
        if model.layer == read.layer
        and SUBJECTS.index(read.subject) > SUBJECTS.index(model.subject)
    ]
    assert not found, found


def test_no_two_subjects_depend_on_each_other() -> None:
    pairs: dict[tuple[str, str], list[str]] = {}
    for name, model, other, read in reads():
        if model.subject != read.subject:
            pairs.setdefault((model.subject, read.subject), []).append(f"{name} reads {other}")
    found = {
        f"{one} and {two}": [*pairs[one, two][:3], *pairs[two, one][:3]]
        for one, two in sorted(pairs)
        if one < two and (two, one) in pairs
    }
    assert not found, found


def test_no_chain_of_models_is_too_long() -> None:
    found: dict[str, tuple[str, ...]] = {}
    longest = max((depth(name, found) for name in models()), key=len)
    assert len(longest) <= LONGEST_PATH, " > ".join(longest)


@pytest.mark.parametrize("layer", ["intermediate", "marts"])
@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_model_is_documented_beside_it(layer: str, subject: str) -> None:
    folder = MODELS / layer / subject
    written = {path.stem for path in folder.glob("*.sql")}
    path = folder / f"_{subject}__models.yml"
    documented = (
        {model["name"] for model in yaml.safe_load(path.read_text())["models"]}
        if path.exists()
        else set()
    )
    assert documented == written, f"{path.name}: {sorted(documented ^ written)}"
