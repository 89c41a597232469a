"""The dbt manifest declares the published marts."""

from __future__ import annotations

import json
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
    assert mart.declared(path) == [CONTACTS, CUSTOMERS]


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
