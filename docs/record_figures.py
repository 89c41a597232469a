"""Record the outputs that README.md and docs/ show, from the current state (`make figures`).

Each entry of ``figures.yml`` becomes ``docs/figures/<name>.txt``. README.md holds a copy between
``<!-- figure: name -->`` and ``<!-- /figure -->``; pages of docs/ include the file when they are
built. A command that fails stops the recording and changes nothing.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer
import yaml

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
RETENTION = [sys.executable, "-m", "retention.cli"]
Figure = dict[str, Any]


def main() -> None:
    wanted = yaml.safe_load((DOCS / "figures.yml").read_text())
    recorded = {name: record(figure) for name, figure in wanted.items()}
    folder = DOCS / "figures"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.txt"):
        old.unlink()
    for name, text in recorded.items():
        (folder / f"{name}.txt").write_text(text + "\n")
    readme = ROOT / "README.md"
    readme.write_text(filled(readme.read_text(), recorded))
    typer.echo(f"{len(recorded)} figures recorded in {folder.relative_to(ROOT)}")


def record(figure: Figure) -> str:
    """The command or query as a reader would type it, and the part of its output to show."""
    if "sql" in figure:
        return f"{figure['sql'].rstrip()}\n\n{psql(figure['sql'], figure.get('fails', False))}"
    command = figure["run"]
    if "customer" in figure:
        found = psql(figure["customer"], False, "-At")
        command = command.format(customer=found)
    with appended(figure.get("append", {})):
        return f"$ retention {command}\n{kept(figure, output([*RETENTION, *command.split()]))}"


def psql(sql: str, fails: bool, *options: str) -> str:
    return output([*RETENTION, "psql", "bi_reader", *options, "-c", sql], fails)


def output(command: list[str], fails: bool = False) -> str:
    """What a command prints; raises SystemExit when it ends otherwise than it should."""
    width = {"COLUMNS": "110", "PYTHONPATH": str(ROOT / "plugins"), "PAGER": "cat"}
    done = subprocess.run(command, cwd=ROOT, env=os.environ | width, capture_output=True, text=True)
    if (done.returncode != 0) != fails:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    text = done.stderr if fails else done.stdout
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


def kept(figure: Figure, text: str) -> str:
    """The lines from the first that matches ``from`` to the next that matches ``to``."""
    lines = text.splitlines()
    start = matching(lines, figure["from"], 0) if "from" in figure else 0
    end = matching(lines, figure["to"], start) + 1 if "to" in figure else len(lines)
    shown = lines[start:end][: figure.get("lines")]
    return "\n".join(shown if end - start <= len(shown) else [*shown, "..."])


def matching(lines: list[str], pattern: str, start: int) -> int:
    for place in range(start, len(lines)):
        if re.search(pattern, lines[place]):
            return place
    raise SystemExit(f"no line matches {pattern!r}; adapt docs/figures.yml")


@contextmanager
def appended(rows: dict[str, str]) -> Iterator[None]:
    """Add a row to a seed of the working tree while a command runs."""
    before = {ROOT / path: (ROOT / path).read_text() for path in rows}
    try:
        for path, row in rows.items():
            (ROOT / path).write_text(before[ROOT / path].rstrip("\n") + f"\n{row}\n")
        yield
    finally:
        for path, text in before.items():
            path.write_text(text)


def filled(page: str, recorded: dict[str, str]) -> str:
    """The page with each marked place holding the figure that it names."""

    def fill(match: re.Match[str]) -> str:
        return f"{match[1]}\n```text\n{recorded[match[2]]}\n```\n{match[3]}"

    marked = r"(<!-- figure: (\w+) -->).*?(<!-- /figure -->)"
    return re.sub(marked, fill, page, flags=re.S)


if __name__ == "__main__":
    main()
