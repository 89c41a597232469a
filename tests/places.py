"""Paths of the repository, the fixtures and the public data sets beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "tests" / "fixtures"
SHARED = Path(os.environ.get("RETENTION_SHARED_DATA", ROOT.parent / "shared" / "data"))

needs_shared_data = [
    pytest.mark.shared_data,
    pytest.mark.skipif(
        not SHARED.is_dir(),
        reason=f"no public data sets at {SHARED}; RETENTION_SHARED_DATA names another place",
    ),
]
