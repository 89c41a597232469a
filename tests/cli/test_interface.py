"""Published tables and the command line keep what the newest release promised."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from retention import interface
from retention.errors import ConfigurationError
from retention.interface import Interface
from tests.places import ROOT

MARTS = "dbt_project/models/marts"
RELEASED = Interface(
    "1.0.0",
    {
        "publish.t": "one row per a",
        "publish.t.a": "text",
        "publish.t.b": "text",
        "retention load": "",
        "retention load --end": "",
    },
    {},
)


@pytest.fixture(scope="module")
def offered() -> Interface:
    return interface.current(ROOT, "next")


def without(*names: str) -> Interface:
    left = {name: value for name, value in RELEASED.promises.items() if name not in names}
    return replace(RELEASED, version="next", promises=left)


def test_this_checkout_keeps_what_the_newest_release_promised(offered: Interface) -> None:
    assert len(offered.promises) > 500
    assert interface.breaks(interface.newest(ROOT / "interface"), offered) == []


def test_nothing_is_promised_before_the_first_release(tmp_path: Path) -> None:
    assert interface.newest(tmp_path).promises == {}


def test_a_release_promises_all_that_is_offered(tmp_path: Path, offered: Interface) -> None:
    shutil.copytree(ROOT / "dbt_project" / "models" / "marts", tmp_path / MARTS)
    path = interface.write(tmp_path, "0.1.0")
    assert interface.newest(path.parent).promises == offered.promises


def test_the_interface_has_tables_columns_commands_and_options(offered: Interface) -> None:
    assert offered.promises["publish.dim_customers"] == "one row per customer_id"
    assert offered.promises["publish.dim_customers.customer_id"] == "text"
    assert "people.dim_contacts.email" in offered.promises
    assert "retention build --as-of" in offered.promises
    assert "retention score check" in offered.promises


def test_an_addition_breaks_nothing() -> None:
    more = {**RELEASED.promises, "publish.t.c": "date", "retention load --dry-run": ""}
    assert interface.breaks(RELEASED, replace(RELEASED, promises=more)) == []


def test_a_removed_column_or_option_is_named() -> None:
    assert interface.breaks(RELEASED, without("publish.t.b", "retention load --end")) == [
        "publish.t.b is gone, and 1.0.0 did not deprecate it",
        "retention load --end is gone, and 1.0.0 did not deprecate it",
    ]


def test_a_removed_table_or_command_is_named_once() -> None:
    assert interface.breaks(RELEASED, without(*RELEASED.promises)) == [
        "publish.t is gone, and 1.0.0 did not deprecate it",
        "retention load is gone, and 1.0.0 did not deprecate it",
    ]


def test_a_changed_type_or_grain_is_named() -> None:
    other = {**RELEASED.promises, "publish.t": "one row per a, b", "publish.t.b": "bigint"}
    assert interface.breaks(RELEASED, replace(RELEASED, promises=other)) == [
        "publish.t was one row per a and is one row per a, b",
        "publish.t.b was text and is bigint",
    ]


def test_what_a_release_deprecated_may_go_in_the_next() -> None:
    released = replace(RELEASED, deprecated={"publish.t.b": "Use a."})
    assert interface.breaks(released, without("publish.t.b")) == []


def test_a_release_is_never_rewritten(tmp_path: Path) -> None:
    (tmp_path / "interface").mkdir()
    (tmp_path / "interface" / "1.0.0.json").write_text("{}")
    with pytest.raises(ConfigurationError, match=r"1\.0\.0 is released"):
        interface.write(tmp_path, "1.0.0")


def test_the_newest_release_is_chosen_by_number(tmp_path: Path) -> None:
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        text = f'{{"version": "{version}", "promises": {{}}, "deprecated": {{}}}}'
        (tmp_path / f"{version}.json").write_text(text)
    assert interface.newest(tmp_path).version == "1.10.0"
