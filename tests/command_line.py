"""The command line as a person calls it, in this process: its exit code and what it says."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest.mock import patch

from retention import cli

WIDE = {"COLUMNS": "200"}


@dataclass(frozen=True)
class Outcome:
    """What a command left behind; ``out`` is one text, ``err`` another."""

    code: int
    out: str
    err: str


def retention(environment: Mapping[str, str], *words: str) -> Outcome:
    """Call ``retention`` with these words; only ``environment`` tells it where it is."""
    kept = {name: text for name, text in os.environ.items() if not _is_ours(name)}
    out, err = io.StringIO(), io.StringIO()
    code: object = 0
    with (
        patch.dict(os.environ, {**kept, **WIDE, **environment}, clear=True),
        patch.object(sys, "argv", ["retention", *words]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = end.code
    assert code is None or isinstance(code, int), code
    return Outcome(code or 0, out.getvalue(), err.getvalue())


def _is_ours(name: str) -> bool:
    return name.startswith(("RETENTION_", "AIRFLOW_CONN_"))
