"""Of two concurrent `make run` of one state folder the second is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from retention.warehouse.keyring import locked
from tests.places import ROOT


def test_a_second_run_of_one_state_folder_exits_with_code_8(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "RETENTION_STATE": str(tmp_path),
        "PYTHONPATH": str(ROOT / "plugins"),
    }
    with locked(tmp_path / "run.lock"):
        done = subprocess.run(
            [sys.executable, "-m", "local.quickstart"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 8, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"[already_running] another `make run` uses {tmp_path}. Wait until")
