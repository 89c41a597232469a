"""What a look at a file tells before its rows are read."""

from __future__ import annotations

from typing import Any

from retention.sources.files.findings import Findings
from retention.sources.files.folder import Folder
from retention.sources.files.mapping import StreamRule
from retention.sources.files.problem import nearest
from retention.sources.files.rows import Form
from retention.sources.files.rule_columns import missing_columns


def look(folder: Folder, file: str, form: Form, findings: Findings) -> None:
    """Warn of a byte order mark and of line ends that come from elsewhere."""
    path = folder.root / file
    if form.of(path) == "parquet":
        return
    with path.open("rb") as raw:
        start = raw.read(65_536)
    if start.startswith(b"\xef\xbb\xbf"):
        said = "the file starts with a byte order mark; it is skipped"
        findings.warn(file, 1, None, "byte_order_mark", said)
    if b"\r\n" in start and not start.startswith(b"\x1f\x8b"):
        findings.warn(file, 1, None, "crlf", "lines end in CR LF; they are read as lines")


def has_columns(
    rule: StreamRule, file: str, header: tuple[str, ...] | None, findings: Findings
) -> bool:
    """Whether the header has every column of the rule; the others are errors."""
    missing = missing_columns(rule, header)
    for column in missing:
        said = f"no column {column!r}. {nearest(column, header or ())}"
        findings.error(file, 1, column, "missing_column", said)
    return not missing


def paths(values: dict[str, Any], under: str = "") -> list[str]:
    """The names of a JSON object, the inner ones dotted."""
    found = []
    for name, value in values.items():
        found.append(under + name)
        if isinstance(value, dict):
            found += paths(value, f"{under}{name}.")
    return found
