"""The dbt manifest declares the published marts."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from retention.errors import ConfigurationError
from retention.publishing import mart
from tests.publishing.small_marts import CONTACTS, CUSTOMERS


def manifest(folder: Path, **metas: Any) -> Path:
    nodes = {
        f"model.x.{name}": {"name": name, "resource_type": "model", "config": {"meta": meta}}
        for name, meta in metas.items()
    }
    path = folder / "manifest.json"
    path.write_text(json.dumps({"nodes": nodes}))
    return path


def test_the_marts_are_read_from_the_manifest(tmp_path: Path) -> None:
    path = manifest(
        tmp_path,
        dim_contacts={"publish": "people", "grain": ["contact_id"]},
        dim_customers={"publish": "publish", "grain": ["customer_id"]},
        int_hidden={},
    )
    assert mart.declared(path, tmp_path) == [CONTACTS, CUSTOMERS]


@pytest.mark.parametrize(("rule", "column"), [("all", "as_of_date"), ("until", "")])
def test_the_suite_of_a_mart_names_the_column_that_has_the_day_of_the_build(
    tmp_path: Path, rule: str, column: str
) -> None:
    path = manifest(tmp_path, dim_customers={"publish": "publish", "grain": ["customer_id"]})
    suite = f"table: marts.dim_customers\nas_of: {{column: as_of_date, rule: {rule}}}\n"
    (tmp_path / "marts_dim_customers.yml").write_text(suite)
    (found,) = mart.declared(path, tmp_path)
    assert found == replace(CUSTOMERS, as_of_column=column)
    assert found.taken_from_pointer({"as_of_date": "date"}) == column
    assert found.taken_from_pointer({"as_of_date": "text", "customer_id": "bigint"}) == ""


@pytest.mark.parametrize(
    "meta",
    [
        {},
        {"publish": "public", "grain": ["a"]},
        {"publish": "publish"},
        {"publish": "publish", "grain": []},
        {"publish": "publish", "grain": "a"},
    ],
)
def test_an_invalid_meta_is_a_configuration_error(tmp_path: Path, meta: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        mart.declared(manifest(tmp_path, some_mart=meta))
    with pytest.raises(ConfigurationError, match="no manifest"):
        mart.declared(tmp_path / "none.json")
