"""A published worklist, and a CRM of one's own that takes values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from demo.servers.app import serve
from retention.warehouse import Warehouse
from tests.demo.servers.small_world import AS_OF, small_world
from tests.reverse_etl.outbound_setup import SCORES
from tests.reverse_etl.outbound_world import show


@pytest.fixture
def published(warehouse: Warehouse) -> Warehouse:
    show(warehouse, SCORES)
    return warehouse


@pytest.fixture
def crm(tmp_path: Path) -> Any:
    with serve(small_world(), AS_OF, folder=tmp_path) as running:
        yield running
