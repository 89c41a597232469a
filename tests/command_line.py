"""Call the command line in this process and capture its exit code and output."""

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
    """Exit code, standard output and standard error of a command."""

    code: int
    out: str
    err: str


def retention(environment: Mapping[str, str], *words: str) -> Outcome:
    """Call ``retention`` with these arguments; its settings come only from ``environment``."""
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
