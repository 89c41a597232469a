"""A dbt project of three models in a database of its own."""

from __future__ import annotations

from datetime import date
from typing import Any

from retention.warehouse import Warehouse
from tests.loading import query

AS_OF = date(2026, 3, 1)

FILES = {
    "dbt_project.yml": (
        "name: small\nversion: '1.0'\nconfig-version: 2\nprofile: retention\n"
        "flags: {send_anonymous_usage_stats: false}\n"
        "models: {small: {+schema: marts, +materialized: table}}\n"
    ),
    "macros/generate_schema_name.sql": (
        "{% macro generate_schema_name(name, node) %}{{ name or target.schema }}{% endmacro %}"
    ),
    "models/stg_things.sql": (
        "select record_id, doc ->> 'name' as thing_name, ops.pseudonym(doc ->> 'name') as who\n"
        'from raw.shop_things where loaded_at <= \'{{ var("known_at", "") }}\'::timestamptz'
    ),
    "models/fct_things.sql": (
        "select *, '{{ var(\"as_of\", \"\") }}'::date as as_of_date from {{ ref('stg_things') }}"
    ),
    "models/fct_last.sql": "select count(*) as things from {{ ref('fct_things') }}",
    "models/all.yml": (
        "models:\n  - name: fct_things\n    config: {meta: {publish: publish}}\n"
        "    columns: [{name: thing_name, data_tests: [not_null]}]\n"
    ),
}


def model(wh: Warehouse, name: str, text: str) -> None:
    assert wh.settings is not None
    (wh.settings.root / "dbt_project" / "models" / f"{name}.sql").write_text(text)


def builds(wh: Warehouse) -> list[tuple[Any, ...]]:
    return query(wh, "select build_id, as_of, status, error from ops.builds order by build_id")
